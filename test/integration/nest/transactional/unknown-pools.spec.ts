import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, type Provider, Scope, UseInterceptors } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import {
  PoolModule,
  Transactional,
  TransactionInterceptor,
  TransactionManager,
} from '../../../../lib/index.js';
import { backendsOf } from '../support/backends.js';
import { startApplication } from '../support/application.js';
import { testLedger } from './support/ledger.js';

const ledger = testLedger();

class Reports {
  @Transactional({ pool: 'replcia' })
  async weekly(): Promise<void> {}
}

/** Says by itself what the other one says wrongly. */
class Mended extends Reports {
  @Transactional({ pool: 'replica' })
  override async weekly(): Promise<void> {}
}

@Transactional({ pool: 'replcia' })
class Archive {
  async read(): Promise<void> {}
}

/** What it says about every request. */
const MonthlyInterceptor = TransactionInterceptor.with({ pool: 'replcia' });

@Controller('monthly')
@UseInterceptors(MonthlyInterceptor)
class MonthlyController {
  @Get()
  read(): string {
    return 'read';
  }
}

describe('a transaction on a pool that is not registered', () => {
  const refused = (place: string) => ({
    code: 'POOL_UNKNOWN',
    requested: 'replcia',
    message: expect.stringMatching(
      new RegExp(
        `no pool 'replcia', which ${place} asks for; registered are: .*Did you mean 'replica'\\\\?`,
      ),
    ),
  });

  it.each<[string, Provider, string]>([
    ['a method', Reports, 'Reports\\.weekly'],
    ['a class', Archive, 'Archive\\.read'],
    [
      'a provider of a request',
      { provide: 'R', useClass: Reports, scope: Scope.REQUEST },
      'Reports\\.weekly',
    ],
    ['what a factory makes', { provide: 'R', useFactory: () => new Reports() }, 'Reports\\.weekly'],
    ['what was made before', { provide: 'R', useValue: new Reports() }, 'Reports\\.weekly'],
    [
      'an interceptor of every request',
      { provide: APP_INTERCEPTOR, useClass: MonthlyInterceptor },
      'ConfiguredTransactionInterceptor\\.intercept',
    ],
  ])('is refused at start, with its place: %s', async (_what, provider, place) => {
    await expect(ledger.start({ providers: [provider] })).rejects.toMatchObject(refused(place));
    expect(await backendsOf(ledger.database)).toBe(0);
  });

  it('is refused at start in the interceptor of a controller', async () => {
    const start = ledger.start({ controllers: [MonthlyController] });
    await expect(start).rejects.toMatchObject(
      refused('ConfiguredTransactionInterceptor.intercept'),
    );
  });

  it('is refused at start where nobody has said which one, and there is no primary', async () => {
    @Injectable()
    class Orders {
      @Transactional()
      async place(): Promise<void> {}
    }
    const { connectionString } = ledger.database;
    const start = startApplication({
      imports: [PoolModule.forRoot({ pools: { orders: { connectionString } } })],
      providers: [Orders],
    });
    await expect(start).rejects.toMatchObject({
      code: 'POOL_UNKNOWN',
      requested: 'primary',
      message: expect.stringContaining('Orders.place'),
    });
  });

  it('disturbs nobody where the method is another one in a class that extends it', async () => {
    await using application = await ledger.start({ providers: [Mended] });
    await expect(application.get(Mended).weekly()).resolves.toBeUndefined();
  });

  it('disturbs no application that does not provide it', async () => {
    await using application = await ledger.start({ providers: [] });
    expect(application.get(TransactionManager)).toBeDefined();
  });

  it('is refused at the call where no start could know it', async () => {
    await using application = await ledger.start({ providers: [] });
    const bound = application.get(TransactionManager).bind(new Reports());
    await expect(bound.weekly()).rejects.toMatchObject({
      code: 'POOL_UNKNOWN',
      message: expect.stringMatching(/Did you mean 'replica'\?/),
    });
  });
});
