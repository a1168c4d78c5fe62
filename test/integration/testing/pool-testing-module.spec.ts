import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  type CanActivate,
  ConflictException,
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Param,
  Post,
  UseGuards,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Server } from 'node:http';
import request from 'supertest';
import {
  afterCommit,
  getPoolToken,
  InjectPool,
  Pool,
  PoolModule,
  Transactional,
  TransactionManager,
} from 'nestjs-pools';
import { PoolTestingModule, TransactionalTests, withRollback } from 'nestjs-pools/testing';
import { testDatabase, type TestDatabase } from '../../support/test-database.js';
import { environmentSays } from '../nest/support/environment.js';
import { testLedger } from '../nest/transactional/support/ledger.js';

const ledger = testLedger();

@Injectable()
class Mailer {
  readonly sent: string[] = [];

  welcome(name: string): void {
    this.sent.push(name);
  }
}

@Injectable()
class Names {
  /** How late statements ended that nobody has waited for. */
  readonly late: Promise<unknown>[] = [];

  constructor(
    @InjectPool() private readonly primary: Pool,
    @InjectPool('replica') private readonly replica: Pool,
    private readonly mailer: Mailer,
  ) {}

  @Transactional({ isolation: 'serializable', retry: { attempts: 2 } })
  async add(name: string): Promise<void> {
    const { rowCount } = await this.primary.query('SELECT FROM entry WHERE note = $1', [name]);
    await this.primary.query('INSERT INTO entry VALUES ($1)', [name]);
    await afterCommit(() => this.mailer.welcome(name));
    if (rowCount! > 0) throw new ConflictException(`${name} is there`);
  }

  @Transactional({ pool: 'replica', readOnly: true, isolation: 'repeatable read' })
  async all(): Promise<string[]> {
    const { rows } = await this.replica.query<{ note: string }>('SELECT note FROM entry');
    return rows.map(({ note }) => note);
  }

  /** Reads elsewhere what it has written, and goes on. */
  @Transactional()
  async addAndRead(name: string): Promise<string[]> {
    await this.primary.query('INSERT INTO entry VALUES ($1)', [name]);
    await this.replica.query('SELECT 1 / 0').catch(() => {});
    const all = await this.all();
    const { rows } = await this.replica.query<{ note: string }>('SELECT note FROM entry');
    return [...all, ...rows.map(({ note }) => note)];
  }

  addLater(name: string, told: Promise<void>): void {
    this.late.push(told.then(() => this.primary.query('INSERT INTO entry VALUES ($1)', [name])));
    this.late.at(-1)!.catch(() => {});
  }
}

@Injectable()
class Visits implements CanActivate {
  constructor(@InjectPool() private readonly primary: Pool) {}

  async canActivate(): Promise<boolean> {
    await this.primary.query("INSERT INTO entry VALUES ('visit')");
    return true;
  }
}

let goOn = (): void => {};

@Controller('names')
class NamesController {
  constructor(private readonly names: Names) {}

  @Post()
  add(@Body('name') name: string): Promise<void> {
    return this.names.add(name);
  }

  @Get()
  @UseGuards(Visits)
  all(): Promise<string[]> {
    return this.names.all();
  }

  @Post(':name/late')
  late(@Param('name') name: string): void {
    this.names.addLater(name, new Promise((resolve) => (goOn = resolve)));
  }
}

const parts = { controllers: [NamesController], providers: [Names, Mailer, Visits] };

describe('an application with the testing module', () => {
  let app: INestApplication<Server>;
  let tests: TransactionalTests;
  const server = () => request(app.getHttpServer());
  const add = (name: string) => server().post('/names').send({ name });
  const names = async () => (await server().get('/names').expect(200)).body as string[];

  beforeAll(async () => {
    const restore = environmentSays({ DATABASE_URL: ledger.database.connectionString });
    const module = await Test.createTestingModule({
      imports: [PoolModule.forRoot(), PoolTestingModule.forTest()],
      ...parts,
    }).compile();
    app = module.createNestApplication({ logger: false });
    // Its requests come from its own sockets, and from no test.
    await app.listen(0, '127.0.0.1');
    restore();
    tests = module.get(TransactionalTests);
  });
  afterAll(() => app.close());

  beforeEach(() => tests.begin());
  afterEach(async () => {
    if (tests.isRunning) await tests.rollback();
    expect(await ledger.entries()).toEqual([]);
    const pools = [app.get<Pool>(getPoolToken()), app.get<Pool>(getPoolToken('replica'))];
    for (const pool of pools) expect(pool.stats()).toMatchObject({ leased: 0, waiting: 0 });
  });

  it('sees over HTTP what was written over HTTP, guards included', async () => {
    await add('Ada').expect(201);
    expect(await names()).toEqual(['Ada', 'visit']);
  });

  it('begins each test with nothing of the one before', async () => {
    expect(await names()).toEqual(['visit']);
  });

  it('sees from the test what a request has written, and the other way round', async () => {
    const primary = app.get<Pool>(getPoolToken());
    await primary.query("INSERT INTO entry VALUES ('Ada')");
    await add('Grace').expect(201);
    const { rows } = await primary.query('SELECT note FROM entry');
    expect(rows).toEqual([{ note: 'Ada' }, { note: 'Grace' }]);
    expect(await names()).toEqual(['Ada', 'Grace', 'visit']);
  });

  it('undoes a request that fails, with its hooks, and keeps the others', async () => {
    const { sent } = app.get(Mailer);
    sent.length = 0;
    await add('Ada').expect(201);
    await add('Ada').expect(409);
    expect(await names()).toEqual(['Ada', 'visit']);
    expect(sent).toEqual(['Ada']);
  });

  it('serves requests at the same time, one after another', async () => {
    const wanted = Array.from({ length: 20 }, (_, at) => `name ${at}`);
    await Promise.all(wanted.map((name) => add(name).expect(201)));
    const seen = await names();
    expect(new Set(seen)).toEqual(new Set([...wanted, 'visit']));
  });

  it('reads over the replica what a transaction of the primary has not committed', async () => {
    const seen = await app.get(Names).addAndRead('Ada');
    expect(seen).toEqual(['Ada', 'Ada']);
  });

  it('keeps a request that outlives its test out of the next one', async () => {
    const { late } = app.get(Names);
    await server().post('/names/Ada/late').expect(201);
    await tests.rollback();
    tests.begin();
    goOn();
    await expect(late.at(-1)).rejects.toMatchObject({ code: 'POOL_TRANSACTION_CLOSED' });
    expect(await names()).toEqual(['visit']);
  });

  it('finds no transaction in the body of a test', () => {
    expect(app.get(TransactionManager).current()).toBeUndefined();
  });
});

describe('an application without it', () => {
  it('is rolled back by withRollback() as well', async () => {
    await using app = await ledger.start(parts);
    const server = () => request(app.getHttpServer());

    const seen = await withRollback(app, async () => {
      await server().post('/names').send({ name: 'Ada' }).expect(201);
      return (await server().get('/names').expect(200)).body as string[];
    });

    expect(seen).toEqual(['Ada', 'visit']);
    expect(await ledger.entries()).toEqual([]);
  });

  it('is not rolled back where no test runs', async () => {
    await using app = await ledger.start(parts);
    await request(app.getHttpServer()).post('/names').send({ name: 'Ada' }).expect(201);
    expect(await ledger.entries()).toEqual(['Ada']);
  });
});

describe('the end of an application', () => {
  it('does not wait for a test that was left open, and rolls it back', async () => {
    const imports = [PoolTestingModule.forTest()];
    const app = await ledger.start({ ...parts, imports });
    app.get(TransactionalTests).begin();
    await app.get(Names).add('Ada');

    await app.close();

    expect(await ledger.entries()).toEqual([]);
  });
});

describe('the pools of a test', () => {
  let other: TestDatabase;
  beforeAll(async () => {
    other = await testDatabase();
    await other.query('CREATE TABLE entry (note text)');
  });
  afterAll(() => other.drop());

  const insert = (pool: Pool) => pool.query("INSERT INTO entry VALUES ('x')");
  const count = async (pool: Pool) => (await pool.query('SELECT FROM entry')).rowCount;

  function applicationOnTwo() {
    const restore = environmentSays({
      DATABASE_URL: ledger.database.connectionString,
      DATABASE_REPLICA_URL: other.connectionString,
    });
    return ledger.start({}).finally(restore);
  }

  it('have a transaction each where they lead to different databases', async () => {
    await using app = await applicationOnTwo();
    const [primary, replica] = [getPoolToken(), getPoolToken('replica')].map((token) =>
      app.get<Pool>(token),
    ) as [Pool, Pool];

    await withRollback(app, async () => {
      await insert(primary);
      expect(await count(replica)).toBe(0);
      await insert(replica);
      expect([await count(primary), await count(replica)]).toEqual([1, 1]);
    });

    expect([await count(primary), await count(replica)]).toEqual([0, 0]);
  });

  it('share one all the same where the test says so, whichever comes first', async () => {
    await using app = await applicationOnTwo();
    const [primary, replica] = [getPoolToken(), getPoolToken('replica')].map((token) =>
      app.get<Pool>(token),
    ) as [Pool, Pool];
    const options = { pools: ['replica', 'primary'], through: { replica: 'primary' } };

    await withRollback(
      app,
      async () => {
        await insert(primary);
        expect(await count(replica)).toBe(1);
      },
      options,
    );

    expect(replica.stats().total).toBe(0);
    expect(await count(primary)).toBe(0);
  });

  it('leave alone those that are not among them', async () => {
    await using app = await applicationOnTwo();
    const replica = app.get<Pool>(getPoolToken('replica'));

    await withRollback(app, () => insert(replica), { pools: ['primary'] });

    expect(await count(replica)).toBe(1);
  });

  it('are refused by a name that none of them has', async () => {
    await using app = await applicationOnTwo();
    const wrong = withRollback(app, () => {}, { pools: ['primari'] });
    await expect(wrong).rejects.toMatchObject({ code: 'POOL_UNKNOWN', requested: 'primari' });
    const wrongWay = withRollback(app, () => {}, { through: { replica: 'standby' } });
    await expect(wrongWay).rejects.toMatchObject({ code: 'POOL_UNKNOWN', requested: 'standby' });
  });

  it('are refused where they go through each other', async () => {
    await using app = await applicationOnTwo();
    const through = { replica: 'primary', primary: 'replica' };
    const inCircles = withRollback(app, () => {}, { through });
    await expect(inCircles).rejects.toMatchObject({ code: 'POOL_TEST_TRANSACTION_STATE' });
  });
});
