import type { AcquireRequest } from '../../engine/acquire-request.js';
import { ArgumentCheck } from '../options/argument-check.js';

/** What a caller of `pool.acquire()` or `pool.use()` may ask for. */
export type AcquireOptions = Omit<
  AcquireRequest,
  'site' | 'canLeak' | 'scope' | 'endsWithWork' | 'onRevoked'
>;

/** What is wrong with them, told before anything happens; undefined when nothing is. */
export function wrongAcquire(pool: string, options: AcquireOptions): Error | undefined {
  const { priority, label } = options;
  const check = new ArgumentCheck(pool);
  check.limits(options);
  if (priority !== undefined && priority !== 'high' && priority !== 'normal') {
    check.refuse('priority', priority, "'high' or 'normal'");
  }
  if (label !== undefined && typeof label !== 'string') check.refuse('label', label, 'a text');
  return check.error;
}
