import { Counter, Gauge, type Registry } from 'prom-client';
import type { PgBouncerAdmin } from '../pgbouncer/pgbouncer-admin.js';
import type { PgBouncerReport } from '../pgbouncer/pgbouncer-view.js';

type Reading = readonly [labels: Readonly<Record<string, string>>, value: number];

interface BouncerMetric {
  readonly kind: 'gauge' | 'counter';
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (report: PgBouncerReport) => Reading[];
}

const UP = 'nestjs_pools_pgbouncer_up';

const OF_POOL = ['database', 'user'];

/** Every metric by its name; what stands behind `state` are the console's own columns. */
const METRICS: Readonly<Record<string, BouncerMetric>> = {
  nestjs_pools_pgbouncer_clients: {
    kind: 'gauge',
    help: 'Clients of PgBouncer: active (cl_active), and waiting for a server connection (cl_waiting).',
    labels: [...OF_POOL, 'state'],
    read: ({ pools }) =>
      pools.flatMap(({ database, user, clActive, clWaiting }) => [
        [{ database, user, state: 'active' }, clActive],
        [{ database, user, state: 'waiting' }, clWaiting],
      ]),
  },
  nestjs_pools_pgbouncer_servers: {
    kind: 'gauge',
    help: 'Server connections of PgBouncer, by state: sv_active, sv_idle, sv_used, sv_tested, sv_login.',
    labels: [...OF_POOL, 'state'],
    read: ({ pools }) =>
      pools.flatMap(({ database, user, svActive, svIdle, svUsed, svTested, svLogin }) =>
        Object.entries({
          active: svActive,
          idle: svIdle,
          used: svUsed,
          tested: svTested,
          login: svLogin,
        }).map(([state, value]): Reading => [{ database, user, state }, value]),
      ),
  },
  nestjs_pools_pgbouncer_max_wait_seconds: {
    kind: 'gauge',
    help: 'How long the first client in the queue of PgBouncer has waited (maxwait).',
    labels: OF_POOL,
    read: ({ pools }) =>
      pools.map(({ database, user, maxWaitMs }) => [{ database, user }, maxWaitMs / 1_000]),
  },
  nestjs_pools_pgbouncer_transactions_total: {
    kind: 'counter',
    help: 'Transactions through PgBouncer since it was started.',
    labels: ['database'],
    read: ({ stats }) => stats.map(({ database, transactions }) => [{ database }, transactions]),
  },
  nestjs_pools_pgbouncer_queries_total: {
    kind: 'counter',
    help: 'Statements through PgBouncer since it was started.',
    labels: ['database'],
    read: ({ stats }) => stats.map(({ database, queries }) => [{ database }, queries]),
  },
  nestjs_pools_pgbouncer_wait_seconds_total: {
    kind: 'counter',
    help: 'How long clients of PgBouncer have waited for a server connection, all together.',
    labels: ['database'],
    read: ({ stats }) => stats.map(({ database, waitMs }) => [{ database }, waitMs / 1_000]),
  },
};

/**
 * The metrics of PgBouncer in a registry; its console is asked when that is scraped. One that does
 * not answer fails no scrape: then `nestjs_pools_pgbouncer_up` is 0, and the others are absent.
 */
export class PgBouncerCollectors {
  constructor(
    private readonly bouncer: PgBouncerAdmin,
    private readonly registry: Registry,
  ) {
    // An application whose start failed has left its own behind.
    this.remove();
    this.#addUp();
    for (const [name, metric] of Object.entries(METRICS)) this.#add(name, metric);
  }

  /** Takes them out of the registry. */
  remove(): void {
    for (const name of [UP, ...Object.keys(METRICS)]) this.registry.removeSingleMetric(name);
  }

  #addUp(): void {
    const report = () => this.#report();
    void new Gauge({
      name: UP,
      help: '1 when the console of PgBouncer has answered, else 0.',
      registers: [this.registry],
      async collect() {
        this.set((await report()) ? 1 : 0);
      },
    });
  }

  /** Makes a metric, which registers itself. */
  #add(name: string, { kind, help, labels, read }: BouncerMetric): void {
    const readings = async () => {
      const report = await this.#report();
      return report ? read(report) : [];
    };
    const configuration = { name, help, labelNames: labels, registers: [this.registry] };
    if (kind === 'gauge') {
      void new Gauge({
        ...configuration,
        async collect() {
          const now = await readings();
          this.reset();
          for (const [of, value] of now) this.set(of, value);
        },
      });
      return;
    }
    void new Counter({
      ...configuration,
      async collect() {
        const now = await readings();
        // PgBouncer counts itself: what it says replaces what it has said.
        this.reset();
        for (const [of, value] of now) this.inc(of, value);
      },
    });
  }

  /** The same for all metrics of a scrape. */
  #report(): Promise<PgBouncerReport | undefined> {
    return this.bouncer.report().catch(() => undefined);
  }
}
