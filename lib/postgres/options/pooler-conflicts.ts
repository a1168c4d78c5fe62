import { connectionConfig } from './connection-config.js';
import { startupOptions } from './limit-settings.js';
import type { OptionFindings } from './option-findings.js';
import type { OptionName } from './option-table.js';
import type { ReadOptions } from './read-options.js';

/** Why a session's own state is of no use in transaction mode. */
const NO_SESSION =
  'behind PgBouncer in transaction mode the server connection goes to somebody else after every' +
  ' transaction, and state that is left on it with it';

/** Looks for options that mean nothing, or harm, behind the pooler that was named. */
export function reportPoolerConflicts(read: ReadOptions, findings: OptionFindings): void {
  const pooler = read.values.get('pooler') as string | undefined;
  if (pooler === 'pgbouncer-transaction') reportSessionState(read, findings);
  if (pooler?.startsWith('pgbouncer') && findings.clean) reportStartupOptions(read, findings);
}

function reportSessionState({ values, labels }: ReadOptions, findings: OptionFindings): void {
  const refuse = (option: OptionName, advice: string): void =>
    findings.refuse(
      option,
      `${labels.get(option) ?? option} is given, but ${NO_SESSION}; ${advice}`,
    );

  if (values.get('reset') !== 'none') {
    refuse('reset', "leave it out: PgBouncer's server_reset_query is the one to clean a session");
  }
  if (values.get('initSql') !== undefined) {
    refuse(
      'initSql',
      "use ALTER ROLE ... SET, PgBouncer's connect_query, or settings of a transaction",
    );
  }
  if (values.get('onConnect') !== undefined) {
    findings.advise(
      `${labels.get('onConnect')} must not change the session: ${NO_SESSION};` +
        ' use ALTER ROLE ... SET, or settings of a transaction',
    );
  }
  if (values.get('compatibility') === 'pg-pool') {
    findings.advise(
      "compatibility is 'pg-pool', so connect() hands out node-postgres' own client: what is run on" +
        ' it is not looked at, and named statements fail behind a PgBouncer that keeps none',
    );
  }
}

function reportStartupOptions({ values, labels }: ReadOptions, findings: OptionFindings): void {
  if (startupOptions(connectionConfig(values)) === undefined) return;
  const label = labels.get('options') ?? 'options (of the URL, or PGOPTIONS)';
  findings.refuse(
    'options',
    `${label} is given, which PgBouncer refuses as a startup parameter; use ALTER ROLE ... SET,` +
      ' initSql in session mode, or settings of a transaction',
  );
}
