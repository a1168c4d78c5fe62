import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, lstat, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres.error.js';
import { temporaryRoot, type ServerAccount } from './server-account.js';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const OWN_SERVER_HINT = 'Set DATABASE_URL to run against a PostgreSQL server of your own.';

let found: Promise<PostgresBinaries> | undefined;

/** The programs that `embedded-postgres` brought for this platform, made ready for the account. */
export function postgresBinaries(account: ServerAccount): Promise<PostgresBinaries> {
  found ??= findBinaries(account);
  return found;
}

async function findBinaries(account: ServerAccount): Promise<PostgresBinaries> {
  const installed = nativeDirectory();
  await linkLibraries(installed).catch(() => {
    // The installation belongs to somebody else: the copy below gets the links.
  });
  if (complaintOf(installed, account) === undefined) return binariesIn(installed);

  const copy = await copyInto(temporaryRoot(account), installed);
  const complaint = complaintOf(copy, account);
  if (complaint === undefined) return binariesIn(copy);
  throw new EmbeddedPostgresError(
    'BINARIES_BROKEN',
    `The PostgreSQL that embedded-postgres brought does not run on this machine: ${complaint}. ${OWN_SERVER_HINT}`,
  );
}

function binariesIn(native: string): PostgresBinaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

/** Resolved by way of `embedded-postgres`, whose optional dependency the platform's package is. */
function nativeDirectory(): string {
  const platformPackage = `@embedded-postgres/${process.platform}-${process.arch}`;
  if (process.platform === 'win32') {
    throw new EmbeddedPostgresError(
      'BINARIES_MISSING',
      `The embedded PostgreSQL is started on Linux and macOS only. ${OWN_SERVER_HINT}`,
    );
  }
  try {
    const entry = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(entry).resolve(platformPackage)), '..', 'native');
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'BINARIES_MISSING',
      `No embedded PostgreSQL is installed for ${process.platform}-${process.arch} (package ${platformPackage}). ${OWN_SERVER_HINT}`,
      { cause },
    );
  }
}

/** npm packages cannot hold symlinks; an install script makes them, and install scripts are often blocked. */
async function linkLibraries(native: string): Promise<void> {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(native, '..', target);
    if (existsSync(path)) continue;
    await symlink(basename(source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Why the server program does not run under the account; undefined when it does. */
function complaintOf(native: string, { identity }: ServerAccount): string | undefined {
  const options = { ...identity, cwd: '/', encoding: 'utf8' } as const;
  const { status, stderr, error } = spawnSync(
    join(native, 'bin', 'postgres'),
    ['--version'],
    options,
  );
  if (status === 0) return undefined;
  return error?.message ?? stderr.trim();
}

/**
 * A copy for an account that cannot reach the installation (root's home is closed to it, or the
 * links could not be made). Kept for the next run, as it is large, and trusted only if it is ours.
 */
async function copyInto(parent: string, native: string): Promise<string> {
  const manifest = await readFile(join(native, '..', 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const kept = join(parent, `nestjs-pools-postgres-${version}-${process.getuid?.()}`);
  if (await isOurs(kept)) return join(kept, 'native');

  const fresh = await mkdtemp(join(parent, 'nestjs-pools-postgres-'));
  await chmod(fresh, 0o755);
  await cp(native, join(fresh, 'native'), { recursive: true, verbatimSymlinks: true });
  await linkLibraries(join(fresh, 'native'));
  try {
    await rename(fresh, kept);
    return join(kept, 'native');
  } catch (error) {
    if (!(await isOurs(kept))) throw error;
    await rm(fresh, { recursive: true });
    return join(kept, 'native');
  }
}

async function isOurs(directory: string): Promise<boolean> {
  const stats = await lstat(directory).catch(() => undefined);
  if (stats === undefined || !stats.isDirectory()) return false;
  const writableByOthers = (stats.mode & 0o022) !== 0;
  return stats.uid === process.getuid?.() && !writableByOthers;
}
