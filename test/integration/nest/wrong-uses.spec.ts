import 'reflect-metadata';
import { once } from 'node:events';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Injectable, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import QueryStream from 'pg-query-stream';
import request from 'supertest';
import {
  afterCommit,
  InjectPool,
  type LeasedClient,
  Pool,
  PoolModule,
  Transactional,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { sleep } from '../../support/sleep.js';
import { startApplication } from './support/application.js';
import { testLedger } from './transactional/support/ledger.js';

/** The wrong and the right forms of docs/leaks.md, in its order. */

const LEAK_MS = 100;
const ledger = testLedger();

/** Somebody whose answer does not come: nothing ends what waits for it. */
const silent = () => new Promise<void>(() => {});

@Injectable()
class Orders {
  /** What was lent to those who forget to release it. */
  readonly forgotten: LeasedClient[] = [];

  constructor(@InjectPool() readonly primary: Pool) {}

  async #connect(): Promise<LeasedClient> {
    const client = await this.primary.acquire();
    this.forgotten.push(client);
    return client;
  }

  // 1. An early return

  async findWrong(note: string): Promise<unknown> {
    const client = await this.#connect();
    const { rows } = await client.query('SELECT note FROM entry WHERE note = $1', [note]);
    if (rows.length === 0) return undefined;
    client.release();
    return rows[0];
  }

  async findRight(note: string): Promise<unknown> {
    await using client = await this.primary.acquire();
    const { rows } = await client.query('SELECT note FROM entry WHERE note = $1', [note]);
    if (rows.length === 0) return undefined;
    return rows[0];
  }

  // 2. A throw in the middle

  async addWrong(note: string): Promise<void> {
    const client = await this.#connect();
    this.#check(note);
    await client.query('INSERT INTO entry VALUES ($1)', [note]);
    client.release();
  }

  async addRight(note: string): Promise<void> {
    const client = await this.primary.connect();
    try {
      this.#check(note);
      await client.query('INSERT INTO entry VALUES ($1)', [note]);
    } finally {
      client.release();
    }
  }

  #check(note: string): void {
    if (note === '') throw new RangeError('a note is not empty');
  }

  // 3. A release that is forgotten in a catch

  async importWrong(): Promise<string> {
    const client = await this.#connect();
    try {
      await client.query('INSERT INTO no_such_table VALUES (1)');
      client.release();
      return 'done';
    } catch {
      return 'failed';
    }
  }

  async importRight(): Promise<string> {
    try {
      await this.primary.use((client) => client.query('INSERT INTO no_such_table VALUES (1)'));
      return 'done';
    } catch {
      return 'failed';
    }
  }

  // 5. A transaction that nobody awaits

  @Transactional()
  async placeWrong(note: string): Promise<void> {
    await this.primary.query('INSERT INTO entry VALUES ($1)', [note]);
    await silent();
  }

  @Transactional()
  async placeRight(note: string): Promise<void> {
    await this.primary.query('INSERT INTO entry VALUES ($1)', [note]);
    void afterCommit(() => void silent());
  }
}

async function* lines(rows: AsyncIterable<{ n: number }>): AsyncGenerator<string> {
  for await (const { n } of rows) yield `${n}\n`;
}

const ENDLESS = 'SELECT generate_series(1, 1000000000) AS n';

@Controller()
class OrdersController {
  constructor(
    @InjectPool() private readonly primary: Pool,
    private readonly orders: Orders,
  ) {}

  // 4. An HTTP request that is aborted

  @Get('export/wrong')
  async exportWrong(@Res() response: Response): Promise<void> {
    const client = await this.primary.acquire();
    const rows = client.query(new QueryStream(ENDLESS));
    response.on('finish', () => client.release());
    for await (const line of lines(rows)) {
      if (!response.write(line)) await once(response, 'drain');
    }
    response.end();
  }

  @Get('export/right')
  async exportRight(@Res() response: Response): Promise<void> {
    await this.primary.use(async (client) => {
      await pipeline(client.query(new QueryStream(ENDLESS)), lines, response);
    });
  }

  @Post('wrong')
  placeWrong(): void {
    void this.orders.placeWrong('not awaited');
  }

  @Post('right')
  async placeRight(): Promise<void> {
    await this.orders.placeRight('awaited');
  }
}

let application: INestApplication;
let orders: Orders;

beforeEach(async () => {
  const primary = { max: 2, leakThresholdMs: LEAK_MS, drainTimeoutMs: 0 };
  application = await startApplication({
    imports: [PoolModule.forRoot({ pools: { primary } })],
    providers: [Orders],
    controllers: [OrdersController],
    log: ledger.log,
  });
  orders = application.get(Orders);
});
afterEach(() => application.close());

function warnings(): string[] {
  return ledger.log.sentences('warn');
}

/** The one warning that was written, when it is. */
async function warning(): Promise<string> {
  await eventually(() => warnings().length > 0);
  await sleep(LEAK_MS);
  expect(warnings()).toHaveLength(1);
  return warnings()[0]!;
}

/** Everything came home, and nobody had to see to it. */
async function expectNoLeak(): Promise<void> {
  await eventually(() => expect(orders.primary.stats().leased).toBe(0));
  expect(orders.primary.stats().counters).toMatchObject({ reclaimed: 0, revoked: 0 });
}

/** Asks for something, and goes away as soon as it begins to come. */
async function askAndLeave(path: string): Promise<void> {
  const { port } = application.getHttpServer().address() as AddressInfo;
  const asked = get({ host: '127.0.0.1', port, path });
  const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
  response.on('error', () => {});
  await once(response, 'data');
  asked.destroy();
}

describe('an early return', () => {
  it('is a leak where it goes past the release', async () => {
    await orders.findWrong('none');

    expect(await warning()).toMatch(
      /^primary: possible leak: a connection has been out for .*Acquired:(\n.*)*Orders\.findWrong/,
    );
  });

  it('is none with `await using`', async () => {
    expect(await orders.findRight('none')).toBeUndefined();

    await expectNoLeak();
  });
});

describe('a throw in the middle', () => {
  it('is a leak where it goes past the release', async () => {
    await expect(orders.addWrong('')).rejects.toThrow(RangeError);

    expect(await warning()).toMatch(/possible leak: .*Acquired:(\n.*)*Orders\.addWrong/);
  });

  it('is none where the release stands in a `finally`', async () => {
    await expect(orders.addRight('')).rejects.toThrow(RangeError);

    await expectNoLeak();
  });
});

describe('a catch', () => {
  it('is a leak where it forgets the release', async () => {
    expect(await orders.importWrong()).toBe('failed');

    expect(await warning()).toMatch(/possible leak: .*Acquired:(\n.*)*Orders\.importWrong/);
  });

  it('is none around a pool.use()', async () => {
    expect(await orders.importRight()).toBe('failed');

    await expectNoLeak();
  });
});

describe('an HTTP request that is aborted', () => {
  beforeEach(() => application.listen(0, '127.0.0.1'));

  it('is a leak where only the end of the response releases', async () => {
    await askAndLeave('/export/wrong');

    expect(await warning()).toMatch(
      /possible leak: .*Acquired:(\n.*)*OrdersController\.exportWrong/,
    );
  });

  it('is none where the rows end with the response', async () => {
    await askAndLeave('/export/right');

    await expectNoLeak();
  });
});

describe('a transaction that nobody awaits', () => {
  it('is told by its class and method while it holds its connection', async () => {
    await request(application.getHttpServer()).post('/wrong').expect(201);

    const told = await warning();
    expect(told).toMatch(
      /^primary: held for long: Orders\.placeWrong has had its connection for [\d.]+ m?s; /,
    );
    expect(told).not.toContain('Acquired');
    expect(orders.primary.holders()).toMatchObject([{ label: 'Orders.placeWrong' }]);
    expect(orders.primary.stats().counters).toMatchObject({ leaks: 0, longHolds: 1 });
  });

  it('is over with its request where it is awaited, and what is slow comes after it', async () => {
    await request(application.getHttpServer()).post('/right').expect(201);

    await expectNoLeak();
    expect(await ledger.entries()).toEqual(['awaited']);
  });
});
