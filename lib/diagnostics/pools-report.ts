import { isWorthTelling, type PoolAdvice } from '../advice/advise.js';
import { duration } from '../errors/duration.js';
import type { FleetSnapshot } from '../fleet/fleet.js';
import { INSTANCE } from '../nest/application-name.js';
import { detailsOf, headlineOf } from '../postgres/report/pool-report-text.js';
import type { PoolSnapshot } from '../postgres/report/pool-snapshot.js';
import { type BouncerAnswer, bouncerLines } from './bouncer-answer.js';
import type { ServerAnswer } from './server-view.js';

/**
 * Who holds what in every pool of the application, at one moment: an object for programs, and by
 * `String(report)` a text for people, which begins with the answer.
 *
 * @publicApi
 */
export class PoolsReport {
  /** When it was made, in ISO 8601. */
  readonly at = new Date().toISOString();
  /** The last part of the `application_name` of this process' sessions. */
  readonly instance = INSTANCE;

  constructor(
    /** The one that is worst off first. */
    readonly pools: readonly PoolSnapshot[],
    /** How the servers were asked; undefined when they were not to be. */
    readonly server: readonly ServerAnswer[] | undefined,
    /** What should be done about the pools' sizes. */
    readonly advice: readonly PoolAdvice[],
    /** What PgBouncer's console said; undefined where it is not configured, or nobody was asked. */
    readonly pgbouncer?: BouncerAnswer,
    /** The budget that the instances share; undefined without the option `fleet`. */
    readonly fleet?: FleetSnapshot,
  ) {
    this.pools = pools.toSorted((a, b) => b.waiting - a.waiting || b.utilization - a.utilization);
  }

  toString(): string {
    return [
      ...this.pools.map(headlineOf),
      ...(this.server ?? []).map(answerLine),
      ...(this.pgbouncer ? bouncerLines(this.pgbouncer) : []),
      ...(this.fleet ? [fleetLine(this.fleet)] : []),
      ...this.pools.flatMap((pool) => sectionOf(pool)),
      ...adviceLines(this.advice),
    ].join('\n');
  }
}

function sectionOf(pool: PoolSnapshot): string[] {
  const details = detailsOf(pool);
  return details.length === 0 ? [] : ['', `${pool.name}:`, ...details];
}

/** Nothing where there is nothing to do. */
function adviceLines(advice: readonly PoolAdvice[]): string[] {
  const worthTelling = advice.filter((each) => isWorthTelling(each));
  if (worthTelling.length === 0) return [];
  return ['', 'advice:', ...worthTelling.map(({ sentence }) => `  ${sentence}`)];
}

function fleetLine({ service, share, budget, sees, others }: FleetSnapshot): string {
  const present = others.filter(({ isPresent }) => isPresent).length;
  const company = sees
    ? `${present} other ${present === 1 ? 'instance' : 'instances'}`
    : 'the other instances cannot be seen';
  return `fleet of ${service}: ${share} of ${budget} connections; ${company}`;
}

function answerLine({ pools, route, tookMs, error }: ServerAnswer): string {
  const server = `server of ${pools.join(', ')}`;
  return error === undefined
    ? `${server}: asked over ${route === 'admin pool' ? 'the admin pool' : `a ${route}`}`
    : `${server}: could not be asked (${error}), after ${duration(tookMs)}`;
}
