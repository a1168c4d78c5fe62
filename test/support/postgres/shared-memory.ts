import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';

const SHARED_MEMORY_LINE = 6;

/**
 * Frees what a killed server left in the kernel. PostgreSQL holds a few bytes of System V memory as
 * a lock on its cluster; the next start would free them, but a removed cluster has no next start.
 */
export async function releaseSharedMemory(lockFile: string): Promise<void> {
  const text = await readFile(lockFile, 'utf8').catch(() => '');
  const [, id] = text.split('\n')[SHARED_MEMORY_LINE]?.trim().split(/\s+/) ?? [];
  if (id !== undefined) spawnSync('ipcrm', ['-m', id], { stdio: 'ignore' });
}
