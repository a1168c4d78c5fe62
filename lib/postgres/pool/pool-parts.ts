import type { EventEmitter } from 'node:events';
import type { Client } from 'pg';
import { CallSiteSampling } from '../../engine/call-site.js';
import { ResourcePool } from '../../engine/resource-pool.js';
import { FailoverWatch } from '../driver/failover-watch.js';
import { type DriverEvents, PostgresDriver } from '../driver/postgres-driver.js';
import { ServerProbe } from '../driver/server-probe.js';
import { addressOfPool, type DatabaseAddress, describeAddress } from '../options/address.js';
import { describeHost } from '../options/host-list.js';
import type { PoolKind } from '../options/option-row.js';
import type { PoolOptions } from '../options/pool-options.js';
import type { OptionOrigins } from '../options/resolve-context.js';
import { resolvePoolOptions } from '../options/resolve-options.js';
import type { ResolvedPoolOptions } from '../options/resolved-pool-options.js';
import { silence, withPgPoolLog } from '../report/pg-pool-log.js';
import type { InstrumentationSlot } from '../report/instrumentation.js';
import { PoolEvents } from '../report/pool-events.js';
import { type PoolLog, processWarnings } from '../report/pool-log.js';
import type { PoolSeat } from '../report/pool-seat.js';
import { type PoolSnapshot, snapshotOf } from '../report/pool-snapshot.js';
import { StatementReporter } from '../report/statement-reporter.js';
import type { PostgresSession } from '../session/postgres-session.js';
import { RotatingPassword } from '../session/rotating-password.js';
import { SessionStart } from '../session/session-start.js';
import type { WitnessSlot } from '../session/write-note.js';
import { Lender, type SessionLender } from './lender.js';

/** What a pool is beside its options: the module says it, `new Pool()` does not need it. */
export interface PoolIdentity {
  /** Name in logs, errors and statistics. Default: `pool`. */
  readonly name?: string;
  /** Whose defaults apply. Default: `'standalone'`, which reads options as node-postgres does. */
  readonly kind?: PoolKind;
  readonly origins?: OptionOrigins;
  readonly log?: PoolLog;
  /** Puts the pool together. Default: {@link assemble}, with one engine of its own. */
  readonly assemble?: Assemble;
  /** The place of this pool among others that are used as one; undefined where it stands alone. */
  readonly seat?: PoolSeat;
}

/**
 * Puts a pool together; nothing is opened yet.
 *
 * @param emitter emits the pool's events
 * @throws InvalidPoolOptionsError
 */
export type Assemble = (
  emitter: EventEmitter,
  options: PoolOptions,
  identity: PoolIdentity,
) => PoolParts;

/** What is done with all of a pool's connections: those of one engine, or of one for each host. */
export type PoolEngine = Pick<
  ResourcePool<PostgresSession>,
  | 'stats'
  | 'bounds'
  | 'counts'
  | 'holders'
  | 'start'
  | 'startWithin'
  | 'suspend'
  | 'resume'
  | 'turnAway'
  | 'softEvict'
  | 'resize'
  | 'drain'
  | 'pingIdle'
  | 'takeMostLeased'
>;

/** Asks a pool's server over connections beside the pool's. */
export type PoolProbe = Pick<
  ServerProbe,
  'ping' | 'role' | 'canWrite' | 'rows' | 'answer' | 'open'
>;

/** The sessions that are open. */
export interface OpenSessions {
  readonly clients: Client[];
  readonly sessions: ReadonlySet<PostgresSession>;
}

/** What a pool is made of. */
export interface PoolParts {
  readonly name: string;
  readonly settings: ResolvedPoolOptions;
  readonly log: PoolLog;
  readonly engine: PoolEngine;
  readonly lender: SessionLender;
  /** Where the pool connects to; of several hosts, to which one now. */
  readonly address: () => DatabaseAddress;
  readonly probe: PoolProbe;
  readonly open: OpenSessions;
  readonly snapshot: (most?: number) => PoolSnapshot;
  readonly sites: CallSiteSampling;
  /** Empty unless somebody traces and measures this pool. */
  readonly instrumentation: InstrumentationSlot;
  /** Empty unless somebody wants to know how far the log is behind what is written here. */
  readonly witness: WitnessSlot;
  /** Longest wait for an answer, in milliseconds, of a statement that gives none; 0: no limit. */
  readonly statementLimitMs: number;
  readonly seat: PoolSeat | undefined;
}

/** Puts a pool together out of one engine and one driver. */
export const assemble: Assemble = (emitter, options, identity) => {
  const { name = 'pool', kind = 'standalone' } = identity;
  const settings = resolvePoolOptions(name, options, {
    strict: kind !== 'standalone',
    defaults: kind,
    ...(identity.origins && { origins: identity.origins }),
  });
  const ownLog = settings.compatibility === 'pg-pool' ? silence : processWarnings;
  const log = withPgPoolLog(identity.log ?? ownLog, settings.log);
  const sites = new CallSiteSampling(settings.leakStackEvery);
  const address = () => describeAddress(addressOfPool(settings));
  const hostOf = ({ client }: PostgresSession) =>
    settings.hosts.length > 1 ? describeHost(client) : undefined;
  const instrumentation: InstrumentationSlot = { current: undefined };
  const snapshot = (most?: number) =>
    snapshotOf(engine, events.recent, most, identity.seat?.replica());
  const { slowAcquireMs } = settings;
  const events: PoolEvents = new PoolEvents(
    emitter,
    {
      pool: name,
      log,
      address,
      hostOf,
      sites,
      snapshot,
      instrumentation,
      slowAcquireMs,
      seat: identity.seat,
    },
    new StatementReporter(name, log, settings, instrumentation),
  );

  const password = rotatingPassword(settings);
  const failover = new FailoverWatch({
    askFresh: () => probe.canWrite(settings.connectTimeoutMs),
    failedOver: () => {
      const host = driver.currentHost;
      events.failedOver(host && describeHost(host));
      engine.softEvict();
    },
    isReadOnly: () => events.readOnlyServer(),
  });
  const start = new SessionStart(settings, password, (sentence) =>
    log.warn(`${name}: ${sentence}`, { pool: name }),
  );
  const driverEvents: DriverEvents = {
    connected: (session) => events.connected(session),
    failed: (session, error) => events.failed(session, error),
    statementFailed: (error) => events.statementFailed(error),
    openTransaction: (session) => events.openTransaction(session.holder),
    readOnlyServer: () => {
      // What a replica refuses, or a read-only share of the primary, is its borrower's mistake.
      if (settings.role !== 'replica' && !identity.seat) failover.suspect();
    },
  };
  const driver = new PostgresDriver(settings, start, driverEvents, identity.seat?.host);
  const probe = new ServerProbe(name, driver);
  const engine = new ResourcePool({ options: settings, driver, observer: events });
  const witness: WitnessSlot = { current: undefined };
  const lender = new Lender(engine, password, events, witness);
  const statementLimitMs = limitOfStatements(settings);
  return {
    name,
    settings,
    log,
    engine,
    lender,
    address: () => addressOfPool(settings, driver.currentHost),
    probe,
    open: events,
    sites,
    instrumentation,
    witness,
    snapshot,
    statementLimitMs,
    seat: identity.seat,
  };
};

function rotatingPassword({ connection }: ResolvedPoolOptions): RotatingPassword | undefined {
  const { password } = connection;
  return typeof password === 'function' ? new RotatingPassword(password) : undefined;
}

/** Ours comes after the server's: it is for a server, or a network, that is silent. */
const AFTER_SERVER_MS = 1_000;

/** Where both limits are given, the longer decides. */
function limitOfStatements({ connection, statementTimeoutMs }: ResolvedPoolOptions): number {
  if (statementTimeoutMs === 0) return 0;
  return Math.max(statementTimeoutMs, Number(connection.statement_timeout ?? 0)) + AFTER_SERVER_MS;
}
