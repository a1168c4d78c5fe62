import { parse } from 'pg-connection-string';
import { describeCause } from '../../errors/describe-cause.js';
import { divideConnectionString, type ServerChoice, ServerChoiceFault } from './server-choice.js';

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
    if (error instanceof ServerChoiceFault) return error.message;
    return `a URL that cannot be read (${describeCause(error)})`;
  }
}

/**
 * The parts that a connection string names, as pg reads them: no host where it leaves several to
 * choose from, see {@link choiceIn}. Reads the certificate files too.
 *
 * @throws what reading it throws
 */
export function partsOf(text: string): ConnectionStringParts {
  const { text: readable, choice } = divideConnectionString(text);
  const parsed = parse(readable);
  const parts = choice.hosts ? PARTS.filter((part) => part !== 'host' && part !== 'port') : PARTS;
  const named = parts
    .map((part) => [part, parsed[part]] as const)
    .filter(([, value]) => value !== undefined && value !== null && value !== '');
  return Object.fromEntries(named);
}

/** The servers that a connection string leaves to choose from. @throws what reading it throws */
export function choiceIn(text: string): ServerChoice {
  return divideConnectionString(text).choice;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}
