import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, type Provider, UseInterceptors } from '@nestjs/common';
import request from 'supertest';
import { concatMap, from, lastValueFrom, type Observable, toArray } from 'rxjs';
import {
  currentTransaction,
  getPoolToken,
  InjectPool,
  Pool,
  PoolModule,
  type PoolModuleOptions,
  ReadOnly,
  type ReadOnlyOptions,
  Transactional,
  TransactionInterceptor,
  TransactionManager,
} from '../../../lib/index.js';
import { withRollback } from '../../../lib/testing/index.js';
import { startApplication } from '../nest/support/application.js';
import { environmentSays } from '../nest/support/environment.js';
import { askedBy, primaryAndStandby } from './support/primary-and-standby.js';

const servers = primaryAndStandby();

const ON_REPLICA = { at: 'standby', access: 'reads' };
const ON_PRIMARY = { at: 'primary', access: 'writes' };

@Injectable()
class Entries {
  constructor(@InjectPool() readonly primary: Pool) {}

  async add(id: number): Promise<void> {
    await this.primary.query('INSERT INTO entry VALUES ($1)', [id]);
  }

  async ids(): Promise<number[]> {
    const { rows } = await this.primary.query<{ id: number }>('SELECT id FROM entry ORDER BY id');
    return rows.map(({ id }) => id);
  }
}

@Injectable()
class Reports {
  constructor(
    readonly entries: Entries,
    @InjectPool() readonly primary: Pool,
  ) {}

  @ReadOnly()
  async asked() {
    return { ...(await askedBy(this.primary)), label: currentTransaction()?.label };
  }

  @ReadOnly({ label: 'the weekly report', isolation: 'repeatable read', timeoutMs: 60_000 })
  async weekly() {
    const { rows } = await this.primary.query('SHOW transaction_isolation');
    return [rows[0].transaction_isolation, currentTransaction()?.label];
  }

  @ReadOnly()
  async ids(): Promise<number[]> {
    return await this.entries.ids();
  }

  @ReadOnly()
  each(): Observable<unknown> {
    return from([1, 2]).pipe(concatMap(() => askedBy(this.primary)));
  }

  @ReadOnly()
  async *pages() {
    yield await askedBy(this.primary);
    yield await askedBy(this.primary);
  }
}

@Injectable()
@ReadOnly({ isolation: 'repeatable read' })
class Archive {
  constructor(@InjectPool() readonly primary: Pool) {}

  async asked() {
    return await askedBy(this.primary);
  }

  @Transactional()
  async written() {
    return await askedBy(this.primary);
  }
}

@Injectable()
class Bookings {
  constructor(
    readonly entries: Entries,
    readonly reports: Reports,
  ) {}

  @Transactional()
  async book(id: number): Promise<number[]> {
    await this.entries.add(id);
    return await this.reports.ids();
  }
}

@Controller()
@UseInterceptors(TransactionInterceptor.with({ route: 'replica' }))
class ReportsController {
  constructor(@InjectPool() readonly primary: Pool) {}

  @Get()
  async asked() {
    return await askedBy(this.primary);
  }
}

let restore = () => {};
beforeEach(() => {
  restore = environmentSays({
    DATABASE_URL: servers.primary.connectionString(),
    DATABASE_REPLICA_URL: servers.standby.connectionString(),
  });
});
afterEach(() => restore());

function start(providers: Provider[] = [], options: PoolModuleOptions = {}) {
  return startApplication({
    imports: [PoolModule.forRoot(options)],
    providers: [Entries, Reports, Archive, Bookings, ...providers],
    controllers: [ReportsController],
  });
}

describe('@ReadOnly()', () => {
  it('reads on the replica what a repository asks of the primary', async () => {
    await using application = await start();

    const asked = await application.get(Reports).asked();

    expect(asked).toMatchObject({ ...ON_REPLICA, label: 'Reports.asked' });
  });

  it('takes the options of a transaction that say something about reading', async () => {
    await using application = await start();

    const weekly = await application.get(Reports).weekly();

    expect(weekly).toEqual(['repeatable read', 'the weekly report']);
  });

  it('means every method of a class that carries nothing of its own', async () => {
    await using application = await start();
    const archive = application.get(Archive);

    expect(await archive.asked()).toMatchObject(ON_REPLICA);
    expect(await archive.written()).toMatchObject(ON_PRIMARY);
  });

  it('sees what was written in the transaction around', async () => {
    await using application = await start();

    expect(await application.get(Bookings).book(7)).toEqual([7]);
  });

  it('keeps an Observable, and an async iterator, on one connection of the replica', async () => {
    await using application = await start();
    const reports = application.get(Reports);

    const emitted = await lastValueFrom(reports.each().pipe(toArray()));
    const stepped: unknown[] = [];
    for await (const page of reports.pages()) stepped.push(page);

    for (const pages of [emitted, stepped]) {
      expect(pages).toHaveLength(2);
      expect(pages[0]).toMatchObject(ON_REPLICA);
      expect(pages[1]).toEqual(pages[0]);
    }
  });

  it('routes what an interceptor begins', async () => {
    await using application = await start();

    const { body } = await request(application.getHttpServer()).get('/');

    expect(body).toMatchObject(ON_REPLICA);
  });

  it('reads on the primary where there is no pool replica', async () => {
    await using application = await start([], { pools: { primary: {} } });

    const asked = await application.get(Reports).asked();

    expect(asked).toMatchObject({ at: 'primary', access: 'reads' });
  });

  it('is refused at start for any other pool that is not registered', async () => {
    class Yearly {
      @ReadOnly({ route: 'archive' })
      async read(): Promise<void> {}
    }

    await expect(start([Yearly])).rejects.toMatchObject({
      code: 'POOL_UNKNOWN',
      requested: 'archive',
      message: expect.stringContaining('Yearly.read'),
    });
  });

  it.each([
    [{ readOnly: false }, /Yearly.read: route is for what only reads/],
    [{ isolation: 'serializable' }, /Yearly.read: route cannot be with isolation/],
    [{ rout: 'replica' }, /Yearly.read: rout is unknown; did you mean route/],
  ])('is refused where it is declared with %j', (options, problem) => {
    const declare = () => {
      class Yearly {
        @ReadOnly(options as ReadOnlyOptions)
        async read(): Promise<void> {}
      }
      return Yearly;
    };
    expect(declare).toThrow(problem);
  });

  it('is refused without its ()', () => {
    const declare = () => {
      class Yearly {
        @(ReadOnly as unknown as MethodDecorator)
        async read(): Promise<void> {}
      }
      return Yearly;
    };
    expect(declare).toThrow(/Yearly.read has @ReadOnly without \(\); write @ReadOnly\(\)/);
  });
});

describe('a test with a rollback', () => {
  it.each([
    ['has the replica to itself', {}],
    ['leads it through the primary', { through: { replica: 'primary' } }],
    ['has the primary alone', { pools: ['primary'] }],
  ])('sees in routed transactions what it has written, where it %s', async (_, options) => {
    await using application = await start();
    const reports = application.get(Reports);

    await withRollback(
      application,
      async () => {
        await application.get(Entries).add(1);
        expect(await reports.ids()).toEqual([1]);
        expect(await application.get(Bookings).book(2)).toEqual([1, 2]);
        expect(await reports.asked()).toMatchObject({ at: 'primary', access: 'reads' });
      },
      options,
    );

    expect(await servers.entries()).toEqual([]);
  });

  it('takes the statements of the replica pool into a routed transaction, and no others', async () => {
    await using application = await start();
    const replica = application.get<Pool>(getPoolToken('replica'));
    const transactions = application.get(TransactionManager);

    await withRollback(application, async () => {
      await application.get(Entries).add(1);
      await transactions.run({ route: 'replica' }, async (tx) => {
        const asked = await askedBy(tx);
        expect(asked).toMatchObject({ at: 'primary', access: 'reads' });
        expect(await askedBy(replica)).toEqual(asked);
      });
      expect(await askedBy(replica)).toMatchObject({ at: 'standby' });
    });
  });
});
