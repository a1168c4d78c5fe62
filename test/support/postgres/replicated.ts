import { PostgresServer } from './postgres-server.js';
import type { ServerSettings } from './server-settings.js';

export interface ReplicatedOptions {
  /** Default: 2. */
  readonly standbys?: number;
  /** Added to the default settings of all servers. */
  readonly settings?: ServerSettings;
}

/** A primary and streaming standbys of it, as one thing to start and to remove. */
export class Replicated implements AsyncDisposable {
  private constructor(
    readonly primary: PostgresServer,
    readonly standbys: readonly PostgresServer[],
  ) {}

  static async start({ standbys = 2, settings }: ReplicatedOptions = {}): Promise<Replicated> {
    const primary = await PostgresServer.create({ ...(settings && { settings }) });
    await primary.start();
    const started: PostgresServer[] = [];
    // One after the other: two base backups at once take longer.
    while (started.length < standbys) started.push(await primary.createStandby());
    return new Replicated(primary, started);
  }

  /** As an option `hosts`. */
  get hosts(): string[] {
    return this.standbys.map(({ host, port }) => `${host}:${port}`);
  }

  /** A connection string that names every standby. */
  standbyUrl(): string {
    const url = new URL(this.primary.connectionString());
    return url.href.replace(url.host, this.hosts.join());
  }

  /** Returns when every standby that runs shows what is committed now. */
  async settle(): Promise<void> {
    const running = this.standbys.filter((standby) => standby.running);
    await Promise.all(running.map((standby) => standby.waitForReplay(this.primary)));
  }

  /** The standbys go on receiving, and replay what is committed from now on so much later. */
  async delayReplay(ms: number): Promise<void> {
    await Promise.all(
      this.standbys.map((standby) => standby.setSettings({ recovery_min_apply_delay: `${ms}ms` })),
    );
  }

  async remove(): Promise<void> {
    for (const standby of this.standbys) await standby.remove();
    await this.primary.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}
