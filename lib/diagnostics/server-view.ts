import { Injectable } from '@nestjs/common';
import { describeCause } from '../errors/describe-cause.js';
import { ServerNotAskedError } from '../errors/server-not-asked.error.js';
import { sameServer } from '../postgres/options/address.js';
import type { Pool } from '../postgres/pool/pool.js';
import type { BackendSnapshot, BlockerSnapshot } from '../postgres/report/backend-snapshot.js';
import { maskedStatement } from '../postgres/report/masked-statement.js';
import type { PoolSnapshot } from '../postgres/report/pool-snapshot.js';
import { sessionWith } from './own-sessions.js';
import { ServerDesk, type ServerRoute } from './server-desk.js';

/** How a server was asked about the backends of pools. */
export interface ServerAnswer {
  /** The pools that lead to it. */
  readonly pools: readonly string[];
  readonly route: ServerRoute | undefined;
  readonly tookMs: number;
  /** Why there is no answer; undefined when there is one. */
  readonly error: string | undefined;
}

/** A pool, and what was seen of it right before its server was asked. */
export interface Seen {
  readonly pool: Pool;
  readonly snapshot: PoolSnapshot;
}

/** What the server says of one backend. */
interface Row {
  readonly pid: number;
  readonly state: string | null;
  readonly waits: string | null;
  readonly application: string | null;
  readonly login: string | null;
  readonly transaction: number | null;
  readonly unchanged: number | null;
  readonly statement: string | null;
  readonly blockers: readonly number[] | null;
}

/**
 * Ours, and whoever blocks one of them. Who blocks is asked only of what waits for a lock, because
 * the answer stops the lock manager for a moment.
 */
const BACKENDS = `
  WITH ours AS (
    SELECT a.pid,
           CASE WHEN a.wait_event_type = 'Lock' THEN pg_catalog.pg_blocking_pids(a.pid) END AS blockers
    FROM pg_catalog.pg_stat_activity a
    WHERE a.pid = ANY (pg_catalog.string_to_array($1, ',')::pg_catalog.int4[])
  ), seen AS (
    SELECT pid FROM ours UNION SELECT pg_catalog.unnest(blockers) FROM ours
  )
  SELECT pg_catalog.json_build_object(
    'pid', seen.pid,
    'state', a.state,
    'waits', a.wait_event_type || ': ' || a.wait_event,
    'application', a.application_name,
    'login', a.usename,
    'transaction', extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start) * 1000,
    'unchanged', extract(epoch FROM pg_catalog.clock_timestamp() - a.state_change) * 1000,
    'statement', a.query,
    'blockers', (SELECT pg_catalog.to_json(ours.blockers) FROM ours WHERE ours.pid = seen.pid)
  )::pg_catalog.text AS answer
  FROM seen LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)`;

/** Joins what the servers say of the backends with what the pools know of them. */
@Injectable()
export class ServerView {
  constructor(private readonly desk: ServerDesk) {}

  /**
   * Never rejects: what cannot be asked is told in its answer.
   *
   * @returns the snapshots, with what the server says of each lease
   */
  async join(
    seen: readonly Seen[],
    limitMs: number,
  ): Promise<{ readonly pools: PoolSnapshot[]; readonly answers: ServerAnswer[] }> {
    const groups = byServer(seen);
    const asked = await Promise.all(groups.map((group) => this.#ask(group, limitMs)));
    const joined = new Map(asked.flatMap(({ pools }) => pools.map((pool) => [pool.name, pool])));
    return {
      pools: seen.map(({ snapshot }) => joined.get(snapshot.name) ?? snapshot),
      answers: asked.map(({ answer }) => answer),
    };
  }

  async #ask(group: readonly Seen[], limitMs: number) {
    const [{ pool }] = group as [Seen, ...Seen[]];
    const startedAt = performance.now();
    const answer = (error?: string): ServerAnswer => ({
      pools: group.map(({ snapshot }) => snapshot.name),
      route: this.desk.routeTo(pool),
      tookMs: Math.round(performance.now() - startedAt),
      error,
    });
    const pids = group.flatMap(({ snapshot }) => backendsOf(snapshot));
    if (pids.length === 0 && this.desk.routeTo(pool)) return { pools: [], answer: answer() };
    try {
      const rows = await this.desk.ask<Row>(pool, BACKENDS, [pids.join(',')], limitMs);
      return { pools: joinedWith(group, rows), answer: answer() };
    } catch (error) {
      return { pools: [], answer: answer(whyNot(error)) };
    }
  }
}

function whyNot(error: unknown): string {
  if (!(error instanceof ServerNotAskedError)) return describeCause(error);
  if (error.cause === undefined) return 'there is no admin pool';
  const { cause } = error.cause as { cause?: unknown };
  const reason = describeCause(error.cause);
  return cause === undefined ? reason : `${reason}: ${describeCause(cause)}`;
}

/** Process ids mean something on one server only. */
function byServer(seen: readonly Seen[]): Seen[][] {
  const groups: Seen[][] = [];
  for (const one of seen) {
    const group = groups.find(([other]) => sameServer(other!.pool.address, one.pool.address));
    if (group) group.push(one);
    else groups.push([one]);
  }
  return groups;
}

function backendsOf({ leases }: PoolSnapshot): number[] {
  return leases.flatMap(({ backend }) => backend ?? []);
}

function joinedWith(group: readonly Seen[], rows: readonly Row[]): PoolSnapshot[] {
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  const blocker = (pid: number) => blockerOf(pid, byPid.get(pid), group);
  return group.map(({ snapshot }) => ({
    ...snapshot,
    leases: snapshot.leases.map((lease) =>
      lease.backend === undefined
        ? lease
        : { ...lease, server: backendOf(byPid.get(lease.backend), blocker) },
    ),
  }));
}

function backendOf(
  row: Row | undefined,
  blocker: (pid: number) => BlockerSnapshot,
): BackendSnapshot {
  const { state, waits, transaction, blockers } = row ?? {};
  return {
    state: row ? (state ?? 'not shown to this role') : 'not found',
    statement: statementOf(row),
    // So the server says that it waits for us: that is no reason.
    waitsFor: waits?.startsWith('Client: ') ? undefined : (waits ?? undefined),
    transactionMs: rounded(transaction),
    idleInTransactionMs: idleInTransactionMs(row),
    blockedBy: [...new Set(blockers)].map(blocker),
  };
}

function blockerOf(pid: number, row: Row | undefined, group: readonly Seen[]): BlockerSnapshot {
  const owner = group.find(({ pool }) => sessionWith(pool, pid));
  const lease = owner?.snapshot.leases.find(({ backend }) => backend === pid);
  return {
    backend: pid,
    pool: owner?.snapshot.name,
    label: lease?.label,
    application: row?.application ?? undefined,
    user: row?.login ?? undefined,
    state: row?.state ?? undefined,
    idleInTransactionMs: idleInTransactionMs(row),
    statement: statementOf(row),
  };
}

function statementOf(row: Row | undefined): string | undefined {
  return row?.statement ? maskedStatement(row.statement) : undefined;
}

function idleInTransactionMs(row: Row | undefined): number | undefined {
  return row?.state?.startsWith('idle in transaction') ? rounded(row.unchanged) : undefined;
}

function rounded(ms: number | null | undefined): number | undefined {
  return ms === null || ms === undefined ? undefined : Math.round(ms);
}
