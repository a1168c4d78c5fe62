import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type OnModuleInit,
  Param,
  Post,
  Res,
  Scope,
  SetMetadata,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import type { Response } from 'express';
import request from 'supertest';
import {
  currentTransaction,
  InjectPool,
  Pool,
  Transactional,
  type TransactionalOptions,
} from '../../../../lib/index.js';
import { testLedger } from './support/ledger.js';

const ledger = testLedger();

const labelHere = (): string | undefined => currentTransaction()?.label;

describe('a decorated method', () => {
  /** As @MessagePattern, @Cron and their like do it. */
  const Noted =
    (note: string): MethodDecorator =>
    (_target, _key, descriptor) =>
      Reflect.defineMetadata('note', note, descriptor.value as object);
  /** As those do it that look for their mark on the function. */
  const Marked: MethodDecorator = (_target, _key, descriptor) => {
    Object.assign(descriptor.value as object, { mark: 1 });
  };

  class Decorated {
    @Transactional()
    @Noted('inside')
    @Marked
    async inside(_a: number, _b: string, _c = 1): Promise<void> {}

    @Noted('outside')
    @Marked
    @Transactional()
    async outside(_a: number): Promise<void> {}

    async plain(_a: number): Promise<void> {}
  }
  const methods = Decorated.prototype as unknown as Record<string, () => unknown>;

  it('keeps its name, its length, its own properties and its metadata, in both orders', () => {
    const { inside, outside } = methods;
    expect([inside!.name, inside!.length]).toEqual(['inside', 2]);
    expect([outside!.name, outside!.length]).toEqual(['outside', 1]);
    expect(Object.entries(inside!)).toEqual([['mark', 1]]);
    expect(Object.entries(outside!)).toEqual([['mark', 1]]);
    expect(new Set(Reflect.ownKeys(inside!))).toEqual(new Set(['length', 'name', 'mark']));
    expect(Reflect.getMetadata('note', inside!)).toBe('inside');
    expect(Reflect.getMetadata('note', outside!)).toBe('outside');
  });

  it('stays as it was described', () => {
    const flags = (key: string) => {
      const { writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(methods, key)!;
      return { writable, enumerable, configurable };
    };
    expect(flags('inside')).toEqual(flags('plain'));
    expect(Object.keys(new Decorated())).toEqual([]);
  });

  it('keeps what the compiler says about its parameters', () => {
    expect(Reflect.getMetadata('design:paramtypes', methods, 'outside')).toEqual([Number]);
  });
});

describe('a transactional handler of a controller', () => {
  @Injectable()
  class OnlyTheBrave implements CanActivate {
    canActivate(context: ExecutionContext): boolean {
      return context.switchToHttp().getRequest<{ url: string }>().url.endsWith('/brave');
    }
  }

  @Controller()
  class EntriesController {
    constructor(@InjectPool() private readonly primary: Pool) {}

    @Transactional()
    @Post('inside/:note')
    @UseGuards(OnlyTheBrave)
    async inside(@Param('note') note: string): Promise<object> {
      return await this.#add(note);
    }

    @UseGuards(OnlyTheBrave)
    @Post('outside/:note')
    @SetMetadata('something', 'else')
    @Transactional()
    async outside(@Param('note') note: string): Promise<object> {
      return await this.#add(note);
    }

    @Transactional()
    @Get('fails')
    async fails(): Promise<void> {
      await this.#add('never');
      throw new Error('no');
    }

    async #add(note: string): Promise<object> {
      await this.primary.query('INSERT INTO entry VALUES ($1)', [note]);
      return { label: labelHere() };
    }
  }

  it.each(['inside', 'outside'])('works with the decorator %s of those of Nest', async (place) => {
    await using application = await ledger.start({ controllers: [EntriesController] });
    const server = application.getHttpServer();
    const answer = await request(server).post(`/${place}/brave`).expect(201);
    expect(answer.body).toEqual({ label: `EntriesController.${place}` });
    await request(server).post(`/${place}/coward`).expect(403);
    expect(await ledger.entries()).toEqual(['brave']);
  });

  it('may send the response itself, and return it', async () => {
    @Controller('itself')
    class ItselfController {
      @Get()
      @Transactional()
      read(@Res() response: Response): unknown {
        return response.status(202).json({ label: labelHere() });
      }
    }
    await using application = await ledger.start({ controllers: [ItselfController] });
    const answer = await request(application.getHttpServer()).get('/itself').expect(202);
    expect(answer.body).toEqual({ label: 'ItselfController.read' });
  });

  it('is rolled back when it fails', async () => {
    await using application = await ledger.start({ controllers: [EntriesController] });
    await request(application.getHttpServer()).get('/fails').expect(500);
    expect(await ledger.entries()).toEqual([]);
  });

  it('finds its transaction in a controller of a request', async () => {
    @Controller({ path: 'request', scope: Scope.REQUEST })
    class RequestController {
      @Get()
      @Transactional()
      read(): object {
        return { label: labelHere() };
      }
    }
    await using application = await ledger.start({ controllers: [RequestController] });
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await request(application.getHttpServer()).get('/request').expect(200);
      expect(answer.body).toEqual({ label: 'RequestController.read' });
    }
  });

  it('leaves the interceptors outside', async () => {
    const seen: unknown[] = [];
    const look = {
      intercept: (_context: unknown, next: { handle(): unknown }) => {
        seen.push(labelHere());
        return next.handle();
      },
    };
    @Controller('look')
    class LookController {
      @Get()
      @UseInterceptors(look as never)
      @Transactional()
      look(): object {
        return { label: labelHere() };
      }
    }
    await using application = await ledger.start({ controllers: [LookController] });
    const answer = await request(application.getHttpServer()).get('/look').expect(200);
    expect(answer.body).toEqual({ label: 'LookController.look' });
    expect(seen).toEqual([undefined]);
  });
});

describe('a class that extends another one', () => {
  class Base {
    @Transactional()
    async first(): Promise<unknown> {
      return labelHere();
    }

    @Transactional()
    async second(): Promise<unknown> {
      return labelHere();
    }
  }

  @Injectable()
  class Derived extends Base {
    /** Not decorated: it decides for itself. */
    override async first(): Promise<unknown> {
      return [labelHere(), await super.first()];
    }

    @Transactional()
    override async second(): Promise<unknown> {
      return [labelHere(), await super.second()];
    }

    @Transactional()
    async third(): Promise<unknown> {
      return labelHere();
    }
  }

  it('inherits the transactions of its methods, and super calls join', async () => {
    await using application = await ledger.start({ providers: [Derived, Base] });
    const derived = application.get(Derived);
    expect(await derived.first()).toEqual([undefined, 'Derived.first']);
    expect(await derived.second()).toEqual(['Derived.second', 'Derived.second']);
    expect(await derived.third()).toBe('Derived.third');
    expect(await application.get(Base).second()).toBe('Base.second');
  });

  it('keeps what it injects itself', async () => {
    @Injectable()
    class Injecting extends Base {
      @InjectPool('replica') readonly replica!: Pool;

      @Transactional()
      async own(): Promise<unknown> {
        return [this.replica.name, await this.first()];
      }
    }
    await using application = await ledger.start({ providers: [Injecting] });
    expect(await application.get(Injecting).own()).toEqual(['replica', 'Injecting.own']);
  });
});

describe('a decorated class', () => {
  const symbol = Symbol('by symbol');
  const order: unknown[] = [];

  @Transactional({ readOnly: true })
  @Injectable()
  class Decorated implements OnModuleInit {
    readonly field = () => labelHere();

    constructor() {
      order.push(['constructor', labelHere()]);
    }

    static make(): unknown {
      return labelHere();
    }

    get accessor(): unknown {
      return labelHere();
    }

    onModuleInit(): void {
      order.push(['onModuleInit', labelHere()]);
    }

    beforeApplicationShutdown(): void {
      order.push(['beforeApplicationShutdown', labelHere()]);
    }

    async method(): Promise<unknown> {
      return labelHere();
    }

    async [symbol](): Promise<unknown> {
      return labelHere();
    }

    @Transactional({ label: 'its own' })
    async own(): Promise<unknown> {
      return labelHere();
    }

    *steps(): Generator {
      yield labelHere();
    }
  }

  it('means its methods, and those only that say nothing themselves', async () => {
    const application = await ledger.start({ providers: [Decorated] });
    const decorated = application.get(Decorated);
    expect(await decorated.method()).toBe('Decorated.method');
    expect(await decorated[symbol]()).toBe('Decorated.[by symbol]');
    expect(await decorated.own()).toBe('its own');
    expect([decorated.accessor, decorated.field(), Decorated.make()]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([...decorated.steps()]).toEqual([undefined]);
    await application.close();
    expect(order).toEqual([
      ['constructor', undefined],
      ['onModuleInit', undefined],
      ['beforeApplicationShutdown', undefined],
    ]);
  });

  it('may be a controller', async () => {
    @Controller('class')
    @Transactional()
    class ClassController {
      @Get(':id')
      read(@Param('id') id: string): object {
        return { id, label: labelHere() };
      }
    }
    await using application = await ledger.start({ controllers: [ClassController] });
    const answer = await request(application.getHttpServer()).get('/class/7').expect(200);
    expect(answer.body).toEqual({ id: '7', label: 'ClassController.read' });
  });
});

/** As somebody writes it who forgets the parentheses; the compiler would tell them. */
function declareWithoutCall(on: 'method' | 'class'): unknown {
  const decorator = Transactional as unknown as MethodDecorator & ClassDecorator;
  const nothing: MethodDecorator & ClassDecorator = () => {};

  @(on === 'class' ? decorator : nothing)
  class Wrong {
    @(on === 'method' ? decorator : nothing)
    async method(): Promise<void> {}
  }
  return Wrong;
}

describe('a decorator that cannot work', () => {
  /** The compiler refuses it there, too. */
  const onProperty: PropertyDecorator = Transactional();
  const decorate = (options: TransactionalOptions) => () => {
    class Entries {
      @Transactional(options)
      async add(): Promise<void> {}
    }
    return Entries;
  };

  it.each([
    ['a misspelt option', { isolatoin: 'serializable' }, /isolatoin is unknown.*isolation\?/],
    ['an unknown propagation', { propagation: 'REQURED' }, /propagation must be one of 'REQUIRED'/],
    ['settings that are none', { settings: 'app.tenant' }, /settings must be an object/],
    ['no object', null, /the options must be an object/],
  ])('is refused with %s where it stands', (_, options, problem) => {
    expect(decorate(options as never)).toThrow(
      expect.objectContaining({
        code: 'POOL_INVALID_TRANSACTION_OPTIONS',
        message: expect.stringMatching(problem),
        problems: [expect.stringMatching(/^Entries\.add: /)],
      }),
    );
  });

  it('is refused on a class, too', () => {
    const onClass = () => {
      @Transactional({ timeout: 5 } as never)
      class Entries {}
      return Entries;
    };
    expect(onClass).toThrow(/Entries: timeout is unknown; did you mean timeoutMs\?/);
  });

  it.each([
    ['a method', 'Wrong.method', () => declareWithoutCall('method')],
    ['a class', 'Wrong', () => declareWithoutCall('class')],
  ])('is refused without () on %s, instead of doing nothing', (_, label, declare) => {
    expect(declare).toThrow(
      expect.objectContaining({
        code: 'POOL_TRANSACTIONAL_MISUSED',
        label,
        message: expect.stringContaining('write @Transactional()'),
      }),
    );
  });

  it('has been checked for good: what is changed behind its back changes nothing', async () => {
    const options: { readOnly?: boolean } = { readOnly: true };
    @Injectable()
    class Reports {
      constructor(@InjectPool() private readonly primary: Pool) {}

      @Transactional(options)
      async isReadOnly(): Promise<unknown> {
        const { rows } = await this.primary.query(
          "SELECT current_setting('transaction_read_only')",
        );
        return Object.values(rows[0] as object)[0];
      }
    }
    await using application = await ledger.start({ providers: [Reports] });
    options.readOnly = false;
    expect(await application.get(Reports).isReadOnly()).toBe('on');
  });

  it.each([
    [
      'a static method',
      () => {
        class Wrong {
          @Transactional()
          static async method(): Promise<void> {}

          other = 1;
        }
        return Wrong;
      },
    ],
    [
      'an accessor',
      () => {
        class Wrong {
          @Transactional()
          get method(): number {
            return 1;
          }
        }
        return Wrong;
      },
    ],
    [
      'a property',
      () => {
        class Wrong {
          @onProperty
          method = async () => {};
        }
        return Wrong;
      },
    ],
    [
      'a generator',
      () => {
        class Wrong {
          @Transactional()
          *method(): Generator<number> {
            yield 1;
          }
        }
        return Wrong;
      },
    ],
  ])('is refused on %s', (_, declare) => {
    expect(declare).toThrow(
      expect.objectContaining({ code: 'POOL_TRANSACTIONAL_MISUSED', label: 'Wrong.method' }),
    );
  });
});
