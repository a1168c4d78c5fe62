import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly zombie: boolean;
}

/** Whether the process exists and still runs; a zombie that waits to be reaped does not. */
export function isAlive(pid: number): boolean {
  return readRow(pid)?.zombie === false;
}

/** Direct children of a process. PostgreSQL's backends have sessions of their own, so a signal to the process group would miss them. */
export function childrenOf(pid: number): number[] {
  return readRows()
    .filter((row) => row.parent === pid && !row.zombie)
    .map((row) => row.pid);
}

/** The command line of a process, arguments joined by spaces; empty when it is gone. */
export function commandLineOf(pid: number): string {
  if (process.platform === 'linux') {
    return readProcFile(`${pid}/cmdline`).replaceAll('\0', ' ').trim();
  }
  return ps('-p', String(pid), '-o', 'command=').trim();
}

/** Sends a signal, and shrugs when the process is already gone. */
export function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function readRow(pid: number): ProcessRow | undefined {
  if (process.platform === 'linux') return parseProcStat(pid, readProcFile(`${pid}/stat`));
  return parsePs(ps('-p', String(pid), '-o', 'pid=,ppid=,stat='))[0];
}

function readRows(): ProcessRow[] {
  if (process.platform !== 'linux') return parsePs(ps('-A', '-o', 'pid=,ppid=,stat='));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => parseProcStat(Number(name), readProcFile(`${name}/stat`)))
    .filter((row) => row !== undefined);
}

/** The command name stands in parentheses and may contain some itself: fields count from the last one. */
function parseProcStat(pid: number, stat: string): ProcessRow | undefined {
  const [, state, parent] = stat.slice(stat.lastIndexOf(')')).split(' ');
  if (state === undefined || parent === undefined) return undefined;
  return { pid, parent: Number(parent), zombie: state === 'Z' || state === 'X' };
}

function parsePs(output: string): ProcessRow[] {
  return output
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 3)
    .map(([pid, parent, state]) => ({
      pid: Number(pid),
      parent: Number(parent),
      zombie: state?.startsWith('Z') ?? false,
    }));
}

/** Processes come and go while the table is read: a vanished one reads as nothing. */
function readProcFile(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}

function ps(...args: string[]): string {
  return spawnSync('ps', args, { encoding: 'utf8' }).stdout ?? '';
}
