import { describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  HttpException,
  Injectable,
  Param,
  Post,
  type PipeTransform,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import type { Request, Response } from 'express';
import request from 'supertest';
import {
  currentTransaction,
  InjectPool,
  Pool,
  Transactional,
  TransactionInterceptor,
} from '../../../../lib/index.js';
import { testLedger } from './support/ledger.js';

const ledger = testLedger();

const label = (): string | undefined => currentTransaction()?.label;

@Injectable()
class Entries {
  constructor(@InjectPool() private readonly primary: Pool) {}

  @Transactional()
  async add(note: string): Promise<string | undefined> {
    await this.primary.query('INSERT INTO entry VALUES ($1)', [note]);
    return label();
  }
}

@Injectable()
class Guard implements CanActivate {
  static seen: unknown[] = [];

  canActivate(): boolean {
    Guard.seen.push(label());
    return true;
  }
}

@Injectable()
class Pipe implements PipeTransform<string> {
  transform(value: string): string {
    return `${value} in ${label()}`;
  }
}

@Controller()
@UseInterceptors(TransactionInterceptor)
class EntriesController {
  constructor(private readonly entries: Entries) {}

  @Post('add/:note')
  @UseGuards(Guard)
  async add(@Param('note', Pipe) note: string): Promise<object> {
    return { first: await this.entries.add(note), second: await this.entries.add('second') };
  }

  @Post('fail')
  async fail(): Promise<void> {
    await this.entries.add('never');
    throw new HttpException('no', 418);
  }

  @Post('swallow')
  async swallow(): Promise<object> {
    await this.entries.add('\0').catch(() => {});
    return { told: 'everything went well' };
  }
}

describe('a transaction per request', () => {
  const parts = { controllers: [EntriesController], providers: [Entries] };

  it('holds everything between the guards and the response', async () => {
    Guard.seen = [];
    await using application = await ledger.start(parts);
    const answer = await request(application.getHttpServer()).post('/add/first').expect(201);
    const inside = 'EntriesController.add';
    expect(answer.body).toEqual({ first: inside, second: inside });
    expect(Guard.seen).toEqual([undefined]);
    expect(await ledger.entries()).toEqual([`first in ${inside}`, 'second']);
  });

  it('is rolled back when the handler fails, and the response is that of the error', async () => {
    await using application = await ledger.start(parts);
    await request(application.getHttpServer()).post('/fail').expect(418);
    expect(await ledger.entries()).toEqual([]);
  });

  it('never answers that it went well when it could not be committed', async () => {
    await using application = await ledger.start(parts);
    await request(application.getHttpServer()).post('/swallow').expect(500);
    expect(await ledger.entries()).toEqual([]);
  });

  it('is committed before the response is sent', async () => {
    const order: string[] = [];
    const { database } = ledger;
    await database.query(`
      CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)`);

    @Controller('deferred')
    class DeferredController {
      constructor(@InjectPool() private readonly primary: Pool) {}

      @Post()
      @UseInterceptors(TransactionInterceptor)
      async add(): Promise<object> {
        currentTransaction()!.afterCommit(() => order.push('committed'));
        await this.primary.query('INSERT INTO deferred VALUES (1)');
        return {};
      }
    }
    await using application = await ledger.start({ controllers: [DeferredController] });
    application.use((_request: Request, response: Response, next: () => void) => {
      response.on('finish', () => order.push(`sent ${response.statusCode}`));
      next();
    });
    const server = application.getHttpServer();
    await request(server).post('/deferred').expect(201);
    // Only COMMIT finds out.
    await request(server).post('/deferred').expect(500);
    expect(order[0]).toBe('committed');
    expect((await database.query('SELECT id FROM deferred')).rows).toEqual([{ id: 1 }]);
  });

  it('takes options, and settings by the request', async () => {
    @Controller('tenant')
    class TenantController {
      constructor(@InjectPool() private readonly primary: Pool) {}

      @Get()
      @UseInterceptors(
        TransactionInterceptor.with({
          readOnly: true,
          isolation: 'repeatable read',
          settings: (context: ExecutionContext) => ({
            'app.tenant': context.switchToHttp().getRequest<Request>().get('tenant') ?? '',
          }),
        }),
      )
      async read(): Promise<object> {
        const { rows } = await this.primary.query(
          `SELECT current_setting('app.tenant') AS tenant,
                  current_setting('transaction_isolation') AS isolation,
                  current_setting('transaction_read_only') AS read_only`,
        );
        return rows[0]!;
      }
    }
    await using application = await ledger.start({ controllers: [TenantController] });
    const hostile = "a'; DROP TABLE entry; --";
    const answer = await request(application.getHttpServer()).get('/tenant').set('tenant', hostile);
    expect(answer.body).toEqual({
      tenant: hostile,
      isolation: 'repeatable read',
      read_only: 'on',
    });
  });

  it('may be that of every request', async () => {
    @Controller('every')
    class EveryController {
      @Get()
      read(): object {
        return { label: label() };
      }
    }
    await using application = await ledger.start({
      controllers: [EveryController],
      providers: [{ provide: APP_INTERCEPTOR, useClass: TransactionInterceptor }],
    });
    const answers = await Promise.all(
      [1, 2, 3].map(() => request(application.getHttpServer()).get('/every')),
    );
    for (const { body } of answers) expect(body).toEqual({ label: 'EveryController.read' });
  });

  it('is refused with options that cannot work, where they stand', () => {
    expect(() => TransactionInterceptor.with({ readonly: true } as never)).toThrow(
      /TransactionInterceptor: readonly is unknown; did you mean readOnly\?/,
    );
    expect(() => TransactionInterceptor.with({ retry: { attempts: 2 } } as never)).toThrow(
      expect.objectContaining({ code: 'POOL_INVALID_TRANSACTION_OPTIONS' }),
    );
  });

  it('lets a controller be made without the module, until a request comes', async () => {
    const testing = await Test.createTestingModule({
      controllers: [EntriesController],
      providers: [{ provide: Entries, useValue: { add: async () => 'mocked' } }],
    }).compile();
    expect(await testing.get(EntriesController).add('a')).toEqual({
      first: 'mocked',
      second: 'mocked',
    });
    await testing.close();
  });
});
