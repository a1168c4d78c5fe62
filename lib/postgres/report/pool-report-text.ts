import { duration } from '../../errors/duration.js';
import type { BackendSnapshot, BlockerSnapshot } from './backend-snapshot.js';
import type { LeaseSnapshot, PoolSnapshot, WaiterSnapshot } from './pool-snapshot.js';

/** So many leases, and so many waiters, are told one by one. */
export const TOLD = 20;

/** So many frames of a stack; the object has them all. */
const FRAMES_TOLD = 3;

/**
 * The answer to "why is everything waiting?" in one line:
 * `primary: 10 of 10 lent, 4 wait, oldest 2.1 s; held longest by TransfersService.transfer, 3.2 s,
 * running 'UPDATE ...' for 3.1 s`.
 */
export function headlineOf(pool: PoolSnapshot): string {
  const { name, leased, max, leases } = pool;
  const [longest] = leases;
  const parts = [`${leased} of ${max} lent, ${queueOf(pool)}`];
  if (pool.state !== 'open') parts.push(pool.state);
  if (longest) {
    parts.push(
      `held longest by ${whoseOf(longest)}, ${duration(longest.ageMs)}, ${doing(longest)}`,
    );
  }
  if (pool.health.status === 'failing') {
    const { forMs, lastError } = pool.health;
    parts.push(`has not been able to connect for ${duration(forMs)}: ${lastError}`);
  }
  if (pool.replica?.state === 'out') parts.push(`no reads go to it: ${pool.replica.reason}`);
  return `${name}: ${parts.join('; ')}`;
}

/** Everything that is known of a pool, a line each, below its {@link headlineOf}. */
export function detailsOf(pool: PoolSnapshot): string[] {
  return [
    ...section('leases', pool.leases, leaseLines, pool.leased),
    ...section('waiters', pool.waiters, waiterLines, pool.waiting),
    ...section('last closes', pool.lastCloses, ({ agoMs, reason, backend }) => [
      `${duration(agoMs)} ago: ${reason}${backend === undefined ? '' : `, backend ${backend}`}`,
    ]),
    ...section('last errors', pool.lastErrors, ({ agoMs, sentence, count }) => [
      `${duration(agoMs)} ago: ${sentence}${count > 1 ? `, ${count} times` : ''}`,
    ]),
  ];
}

/** @param count how many there are, where not all of them are here */
function section<T>(
  title: string,
  items: readonly T[],
  linesOf: (item: T) => string[],
  count = items.length,
): string[] {
  if (items.length === 0) return [];
  const left = count - Math.min(items.length, TOLD);
  return [
    `  ${title}`,
    ...items.slice(0, TOLD).flatMap((item) => linesOf(item).map((line) => `    ${line}`)),
    ...(left > 0 ? [`    and ${left} more`] : []),
  ];
}

function queueOf({ waiting, oldestWaiterMs }: PoolSnapshot): string {
  if (waiting === 0 || oldestWaiterMs === undefined) return 'nobody waits';
  return `${waiting} ${waiting === 1 ? 'waits' : 'wait'}, oldest ${duration(oldestWaiterMs)}`;
}

function leaseLines(lease: LeaseSnapshot): string[] {
  const { ageMs, transaction, statement, backend, acquiredAt, server } = lease;
  const facts = [
    whoseOf(lease),
    doing(lease),
    ...(statement && transaction !== 'none' ? [`transaction ${transaction}`] : []),
    ...(backend === undefined ? [] : [`backend ${backend}`]),
  ];
  return [
    `${duration(ageMs)}: ${facts.join(', ')}`,
    ...(server ? [`  server: ${serverSays(server, statement !== undefined)}`] : []),
    ...framesOf(acquiredAt),
  ];
}

function waiterLines(waiter: WaiterSnapshot): string[] {
  const { ageMs, lane, acquiredAt } = waiter;
  return [`${duration(ageMs)}: ${whoseOf(waiter)}, lane ${lane}`, ...framesOf(acquiredAt)];
}

function framesOf(acquiredAt: string | undefined): string[] {
  const frames = acquiredAt?.split('\n') ?? [];
  return frames.slice(0, FRAMES_TOLD).map((frame) => `  ${frame.trim()}`);
}

/** By its label, else by the place where it asked. */
function whoseOf({ label, acquiredAt }: LeaseSnapshot | WaiterSnapshot): string {
  if (label !== undefined) return label;
  const [frame] = acquiredAt?.split('\n') ?? [];
  return frame === undefined ? 'a caller without a label' : frame.trim().replace(/^at /, '');
}

function doing({ statement, transaction, server }: LeaseSnapshot): string {
  if (!statement) {
    const isOpen = transaction === 'open' || transaction === 'failed';
    return isOpen ? `idle in ${transaction === 'failed' ? 'a failed' : 'its'} transaction` : 'idle';
  }
  const { text, forMs } = statement;
  const what = text === undefined ? 'a statement' : `'${text}'`;
  const since = forMs === undefined ? '' : ` for ${duration(forMs)}`;
  const [blocker] = server?.blockedBy ?? [];
  return `running ${what}${since}${blocker ? `, blocked by ${blockerName(blocker)}` : ''}`;
}

/** @param isTold whether it was told above what it runs */
function serverSays(server: BackendSnapshot, isTold: boolean): string {
  const { state, statement, waitsFor, transactionMs, idleInTransactionMs, blockedBy } = server;
  const facts = [
    idleInTransactionMs === undefined ? state : `${state} for ${duration(idleInTransactionMs)}`,
    ...(isTold || statement === undefined ? [] : [`last statement '${statement}'`]),
    ...(transactionMs === undefined
      ? []
      : [`its transaction began ${duration(transactionMs)} ago`]),
    ...(waitsFor === undefined ? [] : [`waits for ${waitsFor}`]),
    ...blockedBy.map((blocker) => `blocked by ${blockerSays(blocker)}`),
  ];
  return facts.join('; ');
}

function blockerSays(blocker: BlockerSnapshot): string {
  const { state, idleInTransactionMs, statement } = blocker;
  const since = idleInTransactionMs === undefined ? '' : ` for ${duration(idleInTransactionMs)}`;
  return [
    blockerName(blocker),
    ...(state === undefined ? [] : [`${state}${since}`]),
    ...(statement === undefined ? [] : [`last statement '${statement}'`]),
  ].join(', ');
}

function blockerName({ backend, pool, label, application, user }: BlockerSnapshot): string {
  if (backend === 0) return 'a prepared transaction';
  const whose =
    pool === undefined
      ? `application '${application ?? ''}' of user ${user ?? 'unknown'}`
      : `ours, of ${pool}${label === undefined ? '' : `, ${label}`}`;
  return `backend ${backend} (${whose})`;
}
