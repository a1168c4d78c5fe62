import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it, jest } from '@jest/globals';
import { of, lastValueFrom, type Observable } from 'rxjs';
import {
  afterCommit,
  getPoolToken,
  InjectPool,
  type Pool,
  Transactional,
  TransactionManager,
} from 'nestjs-pools';
import { PassThroughTransactionManager } from 'nestjs-pools/testing';

@Injectable()
class GreetingService {
  constructor(
    @InjectPool() private readonly primary: Pool,
    readonly transactions: TransactionManager,
  ) {}

  @Transactional({ isolation: 'serializable' })
  async greet(name: string): Promise<string> {
    const { rows } = await this.primary.query('SELECT greeting', [name]);
    await afterCommit(() => this.greeted(name));
    return `${rows[0].greeting} ${name}`;
  }

  @Transactional()
  all(): Observable<number> {
    return of(1, 2);
  }

  greeted = jest.fn();
}

async function service(): Promise<GreetingService> {
  const query = () => Promise.resolve({ rows: [{ greeting: 'Hello' }] });
  const module = await Test.createTestingModule({
    providers: [
      GreetingService,
      { provide: getPoolToken(), useValue: { query } },
      { provide: TransactionManager, useClass: PassThroughTransactionManager },
    ],
  }).compile();
  return module.get(GreetingService);
}

describe('a service on the pass-through', () => {
  it('runs its transactional methods as they are', async () => {
    const greetings = await service();
    await expect(greetings.greet('Ada')).resolves.toBe('Hello Ada');
    expect(greetings.greeted).toHaveBeenCalledWith('Ada');
    await expect(lastValueFrom(greetings.all())).resolves.toBe(2);
  });

  it('has its hooks run in their order', async () => {
    const { transactions } = await service();
    const told: unknown[] = [];
    const result = await transactions.run({ label: 'greeting' }, (transaction) => {
      transaction.afterCompletion((outcome) => told.push(outcome));
      transaction.afterCommit(() => told.push('after'));
      transaction.beforeCommit(() => told.push('before'));
      return transaction.label;
    });
    expect([result, ...told]).toEqual(['greeting', 'before', 'after', 'committed']);
  });

  it('has them told of a rollback, by an error and by wish', async () => {
    const { transactions } = await service();
    const told: unknown[] = [];
    const error = new Error('no');
    const failed = transactions.run((transaction) => {
      transaction.afterRollback((cause) => told.push(cause));
      throw error;
    });
    await expect(failed).rejects.toBe(error);
    await transactions.run((transaction) => {
      transaction.afterCompletion((outcome) => told.push(outcome));
      transaction.setRollbackOnly();
    });
    expect(told).toEqual([error, 'rolled back']);
  });

  it('says that there is no database where the handle is asked', async () => {
    const { transactions } = await service();
    const run = transactions.run(async (transaction) => await transaction.query('SELECT 1'));
    await expect(run).rejects.toThrow('there is no database behind a pass-through');
  });
});
