import { constants } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { InstanceDirectory } from './instance-directory.js';

/** Directories whose content belongs to the running server alone, as the manual lists them for base backups. */
const CONTENT_LEFT_OUT = new Set([
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
  'pg_wal',
]);

const FILES_LEFT_OUT = new Set([
  'postmaster.pid',
  'postmaster.opts',
  'standby.signal',
  'pg_internal.init',
]);

/** Copied last, so that it is not older than anything else in the copy. */
const CONTROL_FILE = join('global', 'pg_control');

/** Copies a running server's cluster. Its WAL is not copied: the standby streams it from the start of the backup on. */
export async function takeBaseBackup(
  session: Client,
  from: InstanceDirectory,
  to: InstanceDirectory,
): Promise<void> {
  await session.query("SELECT pg_backup_start('standby', fast => true)");
  await copyDirectory(from.cluster, to);
  await copyOwned(join(from.cluster, CONTROL_FILE), join(to.cluster, CONTROL_FILE), to);
  const { rows } = await session.query<{ labelfile: string }>(
    'SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)',
  );
  await to.writeInCluster('backup_label', rows[0]!.labelfile);
}

async function copyDirectory(source: string, to: InstanceDirectory, relative = ''): Promise<void> {
  const target = join(to.cluster, relative);
  await mkdir(target, { mode: 0o700 });
  await to.account.own(target);
  const entries = await readdir(join(source, relative), { withFileTypes: true });
  for (const entry of entries) {
    const path = join(relative, entry.name);
    if (entry.isDirectory()) {
      if (CONTENT_LEFT_OUT.has(relative)) continue;
      await copyDirectory(source, to, path);
    } else if (!isLeftOut(relative, entry.name)) {
      await copyOwned(join(source, path), join(to.cluster, path), to);
    }
  }
}

function isLeftOut(directory: string, name: string): boolean {
  return (
    CONTENT_LEFT_OUT.has(directory) ||
    FILES_LEFT_OUT.has(name) ||
    join(directory, name) === CONTROL_FILE
  );
}

/** Files may vanish while the server works; replay brings or removes them again. */
async function copyOwned(source: string, target: string, to: InstanceDirectory): Promise<void> {
  try {
    await copyFile(source, target, constants.COPYFILE_FICLONE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await to.account.own(target);
}
