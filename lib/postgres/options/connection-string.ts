import { parse } from 'pg-connection-string';
import { describeCause } from '../../errors/describe-cause.js';

/** pg takes any other text for the path of a URL, and looks for a host named "base". */
const FORMS = /^(?:postgres(?:ql)?:\/\/|pg:\/\/|socket:|\/)/i;

/** What a URL can say and pg heeds; the rest of its query is for others. */
const PARTS = [
  'host',
  'port',
  'user',
  'password',
  'database',
  'ssl',
  'sslnegotiation',
  'application_name',
  'fallback_application_name',
  'options',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'query_timeout',
  'client_encoding',
  'replication',
] as const;

export type ConnectionStringParts = Readonly<Partial<Record<(typeof PARTS)[number], unknown>>>;

/** Why pg cannot use a connection string, in words that do not repeat it; undefined if it can. */
export function connectionStringFault(text: string): string | undefined {
  if (!FORMS.test(text)) return 'a string that does not begin with postgres://';
  try {
    const { port } = partsOf(text);
    return port === undefined || isPort(Number(port))
      ? undefined
      : 'a URL whose port is not between 1 and 65535';
  } catch (error) {
    return `a URL that cannot be read (${describeCause(error)})`;
  }
}

/** The parts that a connection string names, as pg reads them. Reads the certificate files too. */
export function partsOf(text: string): ConnectionStringParts {
  const parsed = parse(text);
  const named = PARTS.map((part) => [part, parsed[part]] as const).filter(
    ([, value]) => value !== undefined && value !== null && value !== '',
  );
  return Object.fromEntries(named);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}
