import { PgBouncerError } from '../errors/pgbouncer.error.js';
import { addressOf, type DatabaseAddress } from '../postgres/options/address.js';
import { askConsole } from './console-question.js';
import {
  type ConsoleSettings,
  consoleSettings,
  type PgBouncerOptions,
} from './pgbouncer-options.js';
import {
  configOf,
  type ConsoleRow,
  keepsNamedStatements,
  type PgBouncerPool,
  type PgBouncerReport,
  type PgBouncerStats,
  poolsOf,
  statsOf,
  versionOf,
} from './pgbouncer-view.js';

/** For so long a report is given to whoever asks next: so often can anybody trouble PgBouncer. */
const FRESH_MS = 1_000;

/**
 * Asks PgBouncer's console how it is. Off unless `PoolModule.forRoot({ pgBouncer })` says where the
 * console is; then its numbers are in the health details, the metrics and the report as well.
 *
 * It opens a connection for each question, and none in between.
 *
 * @publicApi
 */
export class PgBouncerAdmin {
  readonly #settings: ConsoleSettings | undefined;
  #latest: { readonly report: Promise<PgBouncerReport>; readonly at: number } | undefined;

  /**
   * @param options undefined: it is off
   * @throws InvalidPoolOptionsError
   */
  constructor(options: PgBouncerOptions | undefined) {
    this.#settings = options === undefined ? undefined : consoleSettings(options);
  }

  /** Whether a console is configured. */
  get isOn(): boolean {
    return this.#settings !== undefined;
  }

  /** Where the console is; undefined when it is off. Never the password. */
  get address(): DatabaseAddress | undefined {
    return this.#settings && addressOf(this.#settings.connection);
  }

  /** SHOW POOLS, without the console's own. @throws PgBouncerError */
  async pools(): Promise<PgBouncerPool[]> {
    return poolsOf(await this.#show('POOLS'));
  }

  /** SHOW STATS, without the console's own. @throws PgBouncerError */
  async stats(): Promise<PgBouncerStats[]> {
    return statsOf(await this.#show('STATS'));
  }

  /** Settings of SHOW CONFIG that matter to clients. @throws PgBouncerError */
  async config(): Promise<Readonly<Record<string, string>>> {
    return configOf(await this.#show('CONFIG'));
  }

  /** All of it over one connection; not older than a second. @throws PgBouncerError */
  report(): Promise<PgBouncerReport> {
    const now = performance.now();
    if (!this.#latest || now - this.#latest.at > FRESH_MS) {
      this.#latest = { report: this.#ask(), at: now };
    }
    return this.#latest.report;
  }

  async #ask(): Promise<PgBouncerReport> {
    const commands = ['SHOW VERSION', 'SHOW POOLS', 'SHOW STATS', 'SHOW CONFIG'];
    const [versions, pools, stats, settings] = await askConsole(this.#on, commands);
    const version = versionOf(versions!);
    const config = configOf(settings!);
    return {
      version,
      pools: poolsOf(pools!),
      stats: statsOf(stats!),
      config,
      keepsNamedStatements: keepsNamedStatements(version, config),
    };
  }

  async #show(what: string): Promise<ConsoleRow[]> {
    const [rows] = await askConsole(this.#on, [`SHOW ${what}`]);
    return rows!;
  }

  get #on(): ConsoleSettings {
    if (!this.#settings) throw new PgBouncerError('off');
    return this.#settings;
  }
}
