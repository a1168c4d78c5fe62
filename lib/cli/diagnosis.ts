import pg from 'pg';
import type { Finding } from '../doctor/finding.js';
import { instancesSeen } from '../doctor/instances.js';
import {
  type RecommendedOptions,
  recommendedOptions,
  tooManyInstances,
} from '../doctor/recommended-options.js';
import { readServerActivity, type ServerActivity } from '../doctor/server-activity.js';
import { readServerFacts, type ServerFacts } from '../doctor/server-facts.js';
import { serverFindings } from '../doctor/server-findings.js';
import { type DatabaseAddress, describeServer } from '../postgres/options/address.js';
import { withConnectionSettings } from '../postgres/options/connection-config.js';
import { partsOf } from '../postgres/options/connection-string.js';
import { readServerRole, type ServerRole } from '../postgres/session/server-role.js';
import type { Sizing } from '../sizing/read-sizing.js';
import type { ServerTarget } from './server-target.js';

/** What the doctor says; printed as it is with `--json`. No secret is in it. */
export interface Diagnosis {
  readonly verdict: 'fine' | 'advice' | 'warnings';
  readonly address: DatabaseAddress;
  readonly facts: ServerFacts;
  /** What stands in between; undefined: nothing that shows. */
  readonly pooler: Pooler | undefined;
  readonly role: ServerRole;
  readonly activity: ServerActivity;
  readonly instances: { readonly count: number; readonly by: 'given' | 'seen' | 'default' };
  readonly findings: readonly Finding[];
  readonly recommended: RecommendedOptions;
}

export interface Pooler {
  /** What it says of itself; undefined of one that does not say it to this role. */
  readonly version: string | undefined;
  readonly mode: string | undefined;
}

/** The console of PgBouncer. */
const CONSOLE = 'pgbouncer';

/**
 * Asks a server everything, over one connection.
 *
 * @throws the error of the connection
 */
export async function diagnose(target: ServerTarget, sizing: Sizing): Promise<Diagnosis> {
  const { facts, activity, role } = await connected(target, async (client) => {
    const read = await readServerFacts(client);
    return {
      facts: read,
      activity: await readServerActivity(client),
      role: await readServerRole(client),
    };
  });
  const { address } = target;
  const pooler = facts.isPooled ? await poolerAt(target) : undefined;
  const server = describeServer(address);
  const instances = instancesOf(sizing, facts);
  const recommended = recommendedOptions(facts, sizing, instances.count);
  const findings = [
    ...serverFindings({ server, facts, activity, role }),
    // Behind a pooler these are the limits of what the pooler opens.
    ...(facts.isPooled ? [] : tooManyInstances(server, recommended, instances.count)),
  ];
  return {
    verdict: verdictOf(findings),
    address,
    facts,
    pooler,
    role,
    activity,
    instances,
    findings,
    recommended,
  };
}

async function connected<T>(
  { connection }: ServerTarget,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(connection);
  // What breaks while nothing is asked is told by the next question.
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Asks PgBouncer by the same login, which it may refuse. */
async function poolerAt(target: ServerTarget): Promise<Pooler> {
  const { connectionString } = target.connection;
  const parts = connectionString === undefined ? {} : partsOf(connectionString);
  const connection = withConnectionSettings(target.connection, {
    ...parts,
    database: CONSOLE,
    connectionString: undefined,
  } as pg.ClientConfig);
  return connected({ ...target, connection }, async (client) => {
    const { rows: versions } = await client.query<{ version?: string }>('SHOW VERSION');
    const { rows: settings } = await client.query<{ key: string; value: string }>('SHOW CONFIG');
    const mode = settings.find(({ key }) => key === 'pool_mode')?.value;
    return { version: versions[0]?.version, mode };
  }).catch(() => ({ version: undefined, mode: undefined }));
}

function instancesOf({ instances }: Sizing, { sessions }: ServerFacts): Diagnosis['instances'] {
  const seen = instancesSeen(sessions);
  // Whose they are nobody can say: what is there does not go away by being left out.
  if (instances !== undefined && instances >= seen) return { count: instances, by: 'given' };
  return seen > 0 ? { count: seen, by: 'seen' } : { count: 1, by: 'default' };
}

function verdictOf(findings: readonly Finding[]): Diagnosis['verdict'] {
  if (findings.some(({ level }) => level === 'warning')) return 'warnings';
  return findings.length > 0 ? 'advice' : 'fine';
}
