import pg from 'pg';
import { sleep } from '../../support/sleep.js';

interface Sample {
  readonly sessions: number;
  readonly running: number;
}

const INTERVAL_MS = 5;

/** Looks at the server again and again: how many sessions has a run, how many statements run? */
export class BackendWatch {
  mostSessions = 0;
  mostRunning = 0;
  samples = 0;
  #watching = true;
  readonly #done: Promise<void>;

  private constructor(
    private readonly client: pg.Client,
    private readonly applicationName: string,
  ) {
    this.#done = this.#watch();
  }

  static async open(connectionString: string, applicationName: string): Promise<BackendWatch> {
    const client = new pg.Client({ connectionString });
    client.on('error', () => {});
    await client.connect();
    return new BackendWatch(client, applicationName);
  }

  async now(): Promise<Sample> {
    const { rows } = await this.client.query<Sample>({
      name: 'watch',
      text: `SELECT count(*)::int AS sessions,
                    (count(*) FILTER (WHERE state = 'active'))::int AS running
               FROM pg_stat_activity
              WHERE application_name = $1`,
      values: [this.applicationName],
    });
    return rows[0]!;
  }

  async close(): Promise<void> {
    this.#watching = false;
    await this.#done.catch(() => {});
    await this.client.end();
  }

  async #watch(): Promise<void> {
    while (this.#watching) {
      const { sessions, running } = await this.now();
      this.mostSessions = Math.max(this.mostSessions, sessions);
      this.mostRunning = Math.max(this.mostRunning, running);
      this.samples += 1;
      await sleep(INTERVAL_MS);
    }
  }
}
