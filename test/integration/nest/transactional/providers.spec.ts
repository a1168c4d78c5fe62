import { describe, expect, it } from '@jest/globals';
import { forwardRef, Inject, Injectable, Scope } from '@nestjs/common';
import { ContextIdFactory, SerializedGraph } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { inspect } from 'node:util';
import {
  afterCommit,
  currentTransaction,
  getPoolToken,
  InjectPool,
  Pool,
  PoolModule,
  Transactional,
  TransactionManager,
} from '../../../../lib/index.js';
import { testDatabase } from '../../../support/test-database.js';
import { startApplication } from '../support/application.js';
import { testLedger } from './support/ledger.js';

const ledger = testLedger();

@Injectable()
class Entries {
  constructor(@InjectPool() readonly primary: Pool) {}

  @Transactional()
  async add(...notes: string[]): Promise<number> {
    for (const note of notes) await this.insert(note);
    return notes.length;
  }

  @Transactional()
  async addAndFail(note: string, error: Error): Promise<void> {
    await this.insert(note);
    throw error;
  }

  /** Calls its own methods, which join. */
  @Transactional()
  async addTwice(note: string, error?: Error): Promise<void> {
    await this.add(`${note} 1`);
    await this.add(`${note} 2`);
    if (error) throw error;
  }

  @Transactional()
  label(): unknown {
    return currentTransaction()?.label;
  }

  @Transactional({ label: 'the ledger' })
  ownLabel(): unknown {
    return currentTransaction()?.label;
  }

  @Transactional()
  fail(error: Error): void {
    throw error;
  }

  @Transactional({ propagation: 'MANDATORY' })
  async mandatory(): Promise<void> {}

  @Transactional({ propagation: 'NEVER' })
  async never(): Promise<void> {}

  @Transactional()
  async callNever(): Promise<void> {
    await this.never();
  }

  private async insert(note: string): Promise<void> {
    await this.primary.query('INSERT INTO entry VALUES ($1)', [note]);
  }
}

describe('a transactional method of a provider', () => {
  it('is committed when it returns, and gives its result', async () => {
    await using application = await ledger.start({ providers: [Entries] });
    expect(await application.get(Entries).add('a', 'b')).toBe(2);
    expect(await ledger.entries()).toEqual(['a', 'b']);
  });

  it('is rolled back when it throws, and the error is unchanged', async () => {
    await using application = await ledger.start({ providers: [Entries] });
    const error = new Error('no');
    await expect(application.get(Entries).addAndFail('a', error)).rejects.toBe(error);
    expect(await ledger.entries()).toEqual([]);
  });

  it('joins when its own class calls it', async () => {
    await using application = await ledger.start({ providers: [Entries] });
    const entries = application.get(Entries);
    await expect(entries.addTwice('a', new Error('no'))).rejects.toThrow('no');
    expect(await ledger.entries()).toEqual([]);
    await entries.addTwice('b');
    expect(await ledger.entries()).toEqual(['b 1', 'b 2']);
  });

  it('returns a promise of what it returns, and rejects with what it throws, at once or not', async () => {
    await using application = await ledger.start({ providers: [Entries] });
    const entries = application.get(Entries);
    const label: unknown = entries.label();
    expect(label).toBeInstanceOf(Promise);
    const error = new Error('no');
    const failed: unknown = entries.fail(error);
    await expect(failed).rejects.toBe(error);
  });

  it('is called by class and method, by the class of the instance', async () => {
    @Injectable()
    class SpecialEntries extends Entries {}
    await using application = await ledger.start({ providers: [Entries, SpecialEntries] });
    expect(await application.get(Entries).label()).toBe('Entries.label');
    expect(await application.get(SpecialEntries).label()).toBe('SpecialEntries.label');
    expect(await application.get(Entries).ownLabel()).toBe('the ledger');
  });

  it('is named where its propagation does not allow the call', async () => {
    await using application = await ledger.start({ providers: [Entries] });
    const entries = application.get(Entries);
    await expect(entries.mandatory()).rejects.toMatchObject({
      code: 'POOL_ILLEGAL_TRANSACTION_STATE',
      label: 'Entries.mandatory',
    });
    await expect(entries.callNever()).rejects.toMatchObject({
      code: 'POOL_ILLEGAL_TRANSACTION_STATE',
      message: expect.stringMatching(/Entries\.never .* in that of Entries\.callNever/),
    });
  });

  it('joins the transaction of another provider, and of the manager', async () => {
    @Injectable()
    class Outer {
      constructor(
        private readonly entries: Entries,
        @Inject(TransactionManager) private readonly transactions: TransactionManager,
      ) {}

      @Transactional()
      async add(): Promise<void> {
        await this.entries.add('a');
        throw new Error('no');
      }

      run(): Promise<void> {
        return this.transactions.run(async () => {
          await this.entries.add('b');
          throw new Error('no');
        });
      }
    }
    await using application = await ledger.start({ providers: [Entries, Outer] });
    await expect(application.get(Outer).add()).rejects.toThrow('no');
    await expect(application.get(Outer).run()).rejects.toThrow('no');
    expect(await ledger.entries()).toEqual([]);
  });

  it('runs its hooks, and again after a serialization failure', async () => {
    @Injectable()
    class Retrying {
      attempts = 0;
      committed = 0;
      constructor(@InjectPool() private readonly primary: Pool) {}

      @Transactional({ retry: { attempts: 3 } })
      async add(): Promise<number> {
        this.attempts += 1;
        await this.primary.query('INSERT INTO entry VALUES ($1)', [`attempt ${this.attempts}`]);
        await afterCommit(() => (this.committed += 1));
        if (this.attempts < 3) throw Object.assign(new Error('again'), { code: '40001' });
        return this.attempts;
      }
    }
    await using application = await ledger.start({ providers: [Retrying] });
    expect(await application.get(Retrying).add()).toBe(3);
    expect(await ledger.entries()).toEqual(['attempt 3']);
    expect(application.get(Retrying).committed).toBe(1);
  });

  it('has a query builder begin its work inside, however lazy that is', async () => {
    @Injectable()
    class Lazy {
      constructor(@InjectPool() private readonly primary: Pool) {}

      @Transactional()
      add(error?: Error): PromiseLike<unknown> {
        return {
          // oxlint-disable-next-line unicorn/no-thenable -- as knex and drizzle do it
          then: (resolve, reject) =>
            this.primary
              .query("INSERT INTO entry VALUES ('lazy')")
              .then(() => {
                if (error) throw error;
                return currentTransaction()?.label;
              })
              .then(resolve, reject),
        };
      }
    }
    await using application = await ledger.start({ providers: [Lazy] });
    await expect(application.get(Lazy).add(new Error('no'))).rejects.toThrow('no');
    expect(await ledger.entries()).toEqual([]);
    expect(await application.get(Lazy).add()).toBe('Lazy.add');
    expect(await ledger.entries()).toEqual(['lazy']);
  });
});

describe('the manager of a transactional method', () => {
  it.each([
    ['of a request', Scope.REQUEST],
    ['of whoever injects it', Scope.TRANSIENT],
  ])('is found in a provider %s', async (_, scope) => {
    @Injectable({ scope })
    class Scoped extends Entries {}
    await using application = await ledger.start({ providers: [Scoped] });
    for (const note of ['first', 'second']) {
      const scoped = await application.resolve(Scoped, ContextIdFactory.create());
      await scoped.add(note);
      await expect(scoped.addAndFail('never', new Error('no'))).rejects.toThrow('no');
    }
    expect(await ledger.entries()).toEqual(['first', 'second']);
  });

  it('is found in providers that need each other', async () => {
    @Injectable()
    class First extends Entries {
      @Inject(forwardRef(() => Second)) readonly second!: Entries;
    }
    @Injectable()
    class Second extends Entries {
      @Inject(forwardRef(() => First)) readonly first!: Entries;
    }
    await using application = await ledger.start({ providers: [First, Second] });
    await application.get(First).second.add('a');
    await application.get(Second).first.add('b');
    expect(await ledger.entries()).toEqual(['a', 'b']);
  });

  it('is that of the application that the instance belongs to', async () => {
    await using second = await testDatabase();
    await second.query('CREATE TABLE entry (note text)');
    await using one = await ledger.start({ providers: [Entries] });
    await using other = await startApplication({
      imports: [
        PoolModule.forRoot({ pools: { primary: { connectionString: second.connectionString } } }),
      ],
      providers: [Entries],
    });

    await Promise.all([one.get(Entries).add('one'), other.get(Entries).add('other')]);
    await expect(other.get(Entries).addAndFail('no', new Error('no'))).rejects.toThrow('no');

    expect(await ledger.entries()).toEqual(['one']);
    expect((await second.query('SELECT note FROM entry')).rows).toEqual([{ note: 'other' }]);
  });

  it('is given to an instance that a factory has made, or somebody by new', async () => {
    await using application = await ledger.start({
      providers: [
        {
          provide: 'MADE',
          inject: [TransactionManager, getPoolToken()],
          useFactory: (manager: TransactionManager, pool: Pool) => manager.bind(new Entries(pool)),
        },
      ],
    });
    await application.get<Entries>('MADE').add('made');
    const manager = application.get(TransactionManager);
    const pool = application.get<Pool>(getPoolToken());
    const entries = manager.bind(new Entries(pool));
    await entries.add('bound');
    const frozen = manager.bind(Object.freeze(new Entries(pool)));
    await frozen.add('frozen');
    await expect(frozen.addAndFail('no', new Error('no'))).rejects.toThrow('no');
    expect(await ledger.entries()).toEqual(['made', 'bound', 'frozen']);
  });

  it('is seen by nobody who logs, copies or compares the instance', async () => {
    await using application = await ledger.start({ providers: [Entries] });
    const entries = application.get(Entries);
    expect(inspect(entries)).not.toContain('TransactionManager');
    expect(Reflect.ownKeys(Object.assign({}, entries))).toEqual(['primary']);
    expect(entries).toEqual(new Entries(entries.primary));
  });
});

describe('a class that gained a transactional method', () => {
  const missing = {
    code: 'POOL_NO_TRANSACTION_MANAGER',
    label: 'Entries.add',
    message: expect.stringMatching(/PoolModule\.forRoot\(\).*nestjs-pools\/testing.*bind\(/),
  };
  const query = async () => ({ rows: [] });

  it('is made by new as before, until the method is called', async () => {
    const entries = new Entries({ query } as unknown as Pool);
    await expect(entries.add('a')).rejects.toMatchObject(missing);
  });

  it('is made without the module as before, until the method is called', async () => {
    const testing = await Test.createTestingModule({
      providers: [Entries, { provide: getPoolToken(), useValue: { query } }],
    }).compile();
    await expect(testing.get(Entries).add('a')).rejects.toMatchObject(missing);
    await testing.close();
  });

  it.each([
    ['with nothing in it', () => ({})],
    ['that takes everything', () => ({ bind() {}, call() {}, run() {} })],
  ])('is made as before where a test mocks what is missing, by something %s', async (_, mock) => {
    const testing = await Test.createTestingModule({ providers: [Entries] })
      .useMocker(mock)
      .compile();
    await expect(testing.get(Entries).add('a')).rejects.toMatchObject(missing);
    await testing.close();
  });

  it('can still be drawn by the tools of Nest', async () => {
    const testing = await Test.createTestingModule({
      imports: [PoolModule.forRoot()],
      providers: [Entries],
    }).compile({ snapshot: true, preview: true });
    expect(testing.get(SerializedGraph).toString()).toContain('TransactionManager');
  });

  it('says what to do where a test has put something simpler in the place of the pool', async () => {
    await using application = await ledger.start({
      providers: [Entries],
      change: (builder) => builder.overrideProvider(getPoolToken()).useValue({ query }),
    });
    await expect(application.get(Entries).add('a')).rejects.toMatchObject({
      code: 'POOL_ILLEGAL_TRANSACTION_STATE',
      message: expect.stringContaining('nestjs-pools/testing'),
    });
  });

  it('is named by its class where the method has lost its instance', async () => {
    const { add } = Entries.prototype;
    await expect(add.call(undefined as never, 'a')).rejects.toMatchObject(missing);
  });
});

describe('settings by the arguments of the method', () => {
  @Injectable()
  class Tenants {
    constructor(@InjectPool() private readonly primary: Pool) {}

    @Transactional({ settings: ([tenant]) => ({ 'app.tenant': tenant }) })
    async notes(_tenant: string): Promise<string[]> {
      // As a user whom row-level security applies to.
      await this.primary.query('SET LOCAL ROLE ledger_reader');
      const { rows } = await this.primary.query<{ note: string }>('SELECT note FROM owned');
      return rows.map(({ note }) => note);
    }

    @Transactional({ settings: ([tenant]: [string]) => ({ 'app.tenant': tenant }) })
    async helped(_tenant: string, helper: string): Promise<string[]> {
      return await this.notes(helper);
    }

    // What nobody has typed, or has typed wrongly.
    @Transactional({ settings: (async () => ({ 'app.tenant': 'a' })) as never })
    async promised(): Promise<void> {}

    @Transactional({ settings: (() => undefined) as never })
    async forgotten(): Promise<void> {}
  }

  async function withPolicy() {
    const { database } = ledger;
    await database.query(`
      DROP TABLE IF EXISTS owned;
      DROP ROLE IF EXISTS ledger_reader;
      CREATE ROLE ledger_reader;
      CREATE TABLE owned (tenant text, note text);
      ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
      CREATE POLICY own ON owned USING (tenant = current_setting('app.tenant'));
      GRANT SELECT ON owned TO ledger_reader;
      GRANT ledger_reader TO CURRENT_USER;
      INSERT INTO owned VALUES ('a', 'of a'), ('b', 'of b')`);
    const application = await ledger.start({ providers: [Tenants] });
    const drop = async () => {
      await application.close();
      await database.query('DROP TABLE owned; DROP ROLE ledger_reader');
    };
    return { tenants: application.get(Tenants), [Symbol.asyncDispose]: drop };
  }

  it('decide which rows it sees, and a hostile value is data', async () => {
    await using policy = await withPolicy();
    const { tenants } = policy;
    expect(await tenants.notes('a')).toEqual(['of a']);
    expect(await tenants.notes('b')).toEqual(['of b']);
    expect(await tenants.notes("a'; DROP TABLE owned; --")).toEqual([]);
    expect(await tenants.notes("a' OR '1'='1")).toEqual([]);
    expect(await tenants.notes('a')).toEqual(['of a']);
  });

  it('are the same for whoever joins, or it is refused', async () => {
    await using policy = await withPolicy();
    const { tenants } = policy;
    expect(await tenants.helped('a', 'a')).toEqual(['of a']);
    await expect(tenants.helped('a', 'b')).rejects.toMatchObject({
      code: 'POOL_ILLEGAL_TRANSACTION_STATE',
      label: 'Tenants.notes',
    });
  });

  it.each([
    ['a value that is none', (tenants: Tenants) => tenants.notes(undefined as never)],
    ['a promise', (tenants: Tenants) => tenants.promised()],
    ['nothing', (tenants: Tenants) => tenants.forgotten()],
  ])('are refused when they are %s, and nothing runs', async (_, call) => {
    await using application = await ledger.start({ providers: [Tenants] });
    await expect(call(application.get(Tenants))).rejects.toMatchObject({
      code: 'POOL_INVALID_TRANSACTION_OPTIONS',
      message: expect.stringMatching(/Tenants\.\w+: settings /),
    });
  });
});
