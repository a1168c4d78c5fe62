import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';
import type { InstanceDirectory } from './instance-directory.js';

export type AuthMethod = 'scram-sha-256' | 'trust';

/** Name of the role that owns the cluster. */
export const SUPERUSER = 'postgres';

const MAJOR_VERSION = '18';

const INITDB_OPTIONS = [
  `--username=${SUPERUSER}`,
  '--encoding=UTF8',
  '--locale-provider=builtin',
  '--locale=C.UTF-8',
  '--no-sync',
  '--no-instructions',
  // Small files to write here and to copy for a standby.
  '--wal-segsize=1',
];

export interface ClusterOptions {
  readonly initdb: string;
  readonly password: string;
  readonly auth: AuthMethod;
}

/** Runs `initdb`, and lets users and standbys in over 127.0.0.1 by the method asked for. */
export async function createCluster(
  directory: InstanceDirectory,
  options: ClusterOptions,
): Promise<void> {
  const passwordFile = join(directory.path, 'password');
  await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 });
  await directory.account.own(passwordFile);
  try {
    await runInitdb(options.initdb, directory, passwordFile);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await directory.writeInCluster('pg_hba.conf', accessRules(options.auth));
}

/** A cluster can only be run by the major version that made it. */
export async function refuseOtherVersions({ cluster, path }: InstanceDirectory): Promise<void> {
  const version = (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  if (version === MAJOR_VERSION) return;
  throw new EmbeddedPostgresError(
    'DIRECTORY_INCOMPATIBLE',
    `${path} was made by PostgreSQL ${version}, and this one is ${MAJOR_VERSION}. ` +
      'Remove the directory to start afresh.',
  );
}

function accessRules(auth: AuthMethod): string {
  return `host all all 127.0.0.1/32 ${auth}\nhost replication all 127.0.0.1/32 ${auth}\n`;
}

async function runInitdb(
  program: string,
  directory: InstanceDirectory,
  passwordFile: string,
): Promise<void> {
  const initdb = spawn(
    program,
    [
      ...INITDB_OPTIONS,
      `--pgdata=${directory.cluster}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
    ],
    {
      ...directory.account.identity,
      cwd: directory.path,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const exited = new Promise<number | null>((resolve, reject) => {
    initdb.once('error', reject);
    initdb.once('close', resolve);
  });
  const [code, complaint] = await Promise.all([exited, text(initdb.stderr)]);
  if (code === 0) return;
  throw new EmbeddedPostgresError(
    'INITDB_FAILED',
    `initdb could not create ${directory.cluster} (exit code ${code}): ${complaint.trim()}`,
  );
}
