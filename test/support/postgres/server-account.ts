import { spawnSync } from 'node:child_process';
import { chown } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';

/** Who runs the server. PostgreSQL refuses to run as root, so root lends it to an account without rights. */
export interface ServerAccount {
  readonly name: string;
  /** To be spread into the options of a spawned process. */
  readonly identity: { readonly uid?: number; readonly gid?: number };
  /** Hands a path over to the account; nothing to do when we are the account. */
  own(path: string): Promise<void>;
}

const UNPRIVILEGED_ACCOUNTS = ['postgres', 'nobody'];

let chosen: ServerAccount | undefined;

/** The account for servers of this process: ourselves, or an unprivileged one when we are root. */
export function serverAccount(): ServerAccount {
  chosen ??= process.getuid?.() === 0 ? unprivilegedAccount() : ourselves();
  return chosen;
}

/** Where temporary directories of the account can live: root's TMPDIR may be closed to others. */
export function temporaryRoot(account: ServerAccount): string {
  const candidates = [tmpdir(), '/tmp', '/var/tmp'];
  return candidates.find((directory) => canEnter(account, directory)) ?? tmpdir();
}

/** Whether nothing above the directory, nor the directory itself, is closed to the account. */
export function canEnter({ identity }: ServerAccount, directory: string): boolean {
  const probe = ['-c', 'cd "$1"', 'sh', directory];
  return spawnSync('/bin/sh', probe, { ...identity, cwd: '/', stdio: 'ignore' }).status === 0;
}

function ourselves(): ServerAccount {
  return { name: process.env['USER'] ?? 'this user', identity: {}, own: async () => {} };
}

function unprivilegedAccount(): ServerAccount {
  for (const name of UNPRIVILEGED_ACCOUNTS) {
    const uid = lookUp('-u', name);
    const gid = lookUp('-g', name);
    if (uid === undefined || gid === undefined) continue;
    return { name, identity: { uid, gid }, own: (path) => chown(path, uid, gid) };
  }
  throw new EmbeddedPostgresError(
    'NO_ACCOUNT',
    `PostgreSQL does not run as root, and none of the accounts ${UNPRIVILEGED_ACCOUNTS.join(', ')} exists here. ` +
      'Run as an ordinary user, or set DATABASE_URL to use a server of your own.',
  );
}

function lookUp(flag: '-u' | '-g', name: string): number | undefined {
  const { status, stdout } = spawnSync('id', [flag, name], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
}
