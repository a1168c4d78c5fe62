import pg from 'pg';
import { sleep } from '../sleep.js';

const SAMPLE_MS = 50;

/** What the server shows of the sessions of a service. */
export interface FleetSample {
  /** Sessions of clients, this one not counted. */
  readonly sessions: number;
  /** What is claimed, by instance, of those whose fleet session is there. */
  readonly claims: ReadonlyMap<string, number>;
  /** Sessions by instance. */
  readonly held: ReadonlyMap<string, number>;
}

const SESSIONS = `
  SELECT application_name AS name FROM pg_stat_activity
  WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;

/** Looks at a server every 50 ms, over a connection of its own. */
export class FleetWatch implements AsyncDisposable {
  /** Names of the most sessions that were there at once. */
  most: readonly string[] = [];
  samples = 0;
  latest: FleetSample = { sessions: 0, claims: new Map(), held: new Map() };
  readonly #watching: Promise<void>;
  #isOver = false;

  private constructor(private readonly client: pg.Client) {
    this.#watching = this.#watch();
  }

  static async of(connectionString: string): Promise<FleetWatch> {
    const client = new pg.Client({ connectionString, application_name: 'fleet-watch' });
    await client.connect();
    return new FleetWatch(client);
  }

  /** What the instances claim now, the least first. */
  get claims(): number[] {
    return [...this.latest.claims.values()].toSorted((a, b) => a - b);
  }

  /** Ends the fleet session of an instance. */
  async endFleetSession(instance: string): Promise<void> {
    await this.client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name LIKE '%:fleet=%:' || $1`,
      [instance],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#watching;
    await this.client.end();
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      const { rows } = await this.client.query<{ name: string }>(SESSIONS);
      this.#note(rows.map(({ name }) => name));
      await sleep(SAMPLE_MS);
    }
  }

  #note(names: readonly string[]): void {
    const claims = new Map<string, number>();
    const held = new Map<string, number>();
    for (const name of names) {
      const instance = name.split(':').at(-1)!;
      const claim = /:fleet=(\d+):/.exec(name)?.[1];
      held.set(instance, (held.get(instance) ?? 0) + 1);
      if (claim !== undefined) claims.set(instance, Number(claim));
    }
    this.samples += 1;
    if (names.length > this.most.length) this.most = names;
    this.latest = { sessions: names.length, claims, held };
  }
}
