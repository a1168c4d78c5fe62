import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  type INestApplication,
  Module,
  Optional,
  type Provider,
  Scope,
  type Type,
} from '@nestjs/common';
import request from 'supertest';
import {
  getPoolToken,
  InjectPool,
  Pool,
  PoolModule,
  PoolRegistry,
  UnknownPoolError,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';
import { createApplication, startApplication } from './support/application.js';
import { backendsOf } from './support/backends.js';
import { environmentSays } from './support/environment.js';

let database: TestDatabase;
let restore = () => {};
beforeAll(async () => (database = await testDatabase()));
beforeEach(() => {
  restore = environmentSays({ DATABASE_URL: database.connectionString });
});
afterEach(() => restore());
afterAll(() => database.drop());

describe('a pool is injected', () => {
  it('into the property of a provider', async () => {
    @Injectable()
    class Accounts {
      @InjectPool('replica') readonly replica!: Pool;
    }
    await using application = await startApplication({
      imports: [PoolModule.forRoot()],
      providers: [Accounts],
    });
    expect(application.get(Accounts).replica).toBe(application.get(PoolRegistry).get('replica'));
  });

  it('into a controller of a request, through its own module', async () => {
    @Controller({ path: 'who', scope: Scope.REQUEST })
    class WhoController {
      constructor(@InjectPool() private readonly primary: Pool) {}

      @Get()
      async who() {
        return (await this.primary.query('SELECT current_database() AS name')).rows[0];
      }
    }
    @Module({ controllers: [WhoController] })
    class WhoModule {}

    await using application = await startApplication({
      imports: [WhoModule, PoolModule.forRoot()],
    });
    const answer = await request(application.getHttpServer()).get('/who').expect(200);
    expect(answer.body).toEqual({ name: database.name });
  });

  it('into a factory, by its token', async () => {
    const reports: Provider = {
      provide: 'REPORTS',
      inject: [getPoolToken('replica'), getPoolToken()],
      useFactory: (replica: Pool, primary: Pool) => [replica.name, primary.name],
    };
    await using application = await startApplication({
      imports: [PoolModule.forRoot()],
      providers: [reports],
    });
    expect(application.get('REPORTS')).toEqual(['replica', 'primary']);
  });
});

describe('a pool that is not registered', () => {
  const refusal = {
    code: 'POOL_UNKNOWN',
    requested: 'replcia',
    registered: ['primary', 'replica', 'admin'],
    message: expect.stringMatching(
      /no pool 'replcia'; registered are: primary, replica, admin\. Did you mean 'replica'\?/,
    ),
  };

  /** Creates and starts it, since some learn of it only then; nothing may be open afterwards. */
  async function startOf(parts: {
    imports?: Type[];
    providers?: Provider[];
    controllers?: Type[];
  }): Promise<INestApplication & AsyncDisposable> {
    const imports = [...(parts.imports ?? []), PoolModule.forRoot()];
    return startApplication({ ...parts, imports });
  }

  afterEach(async () => {
    await eventually(async () => expect(await backendsOf(database)).toBe(0));
  });

  it('is refused at start in the constructor of a provider', async () => {
    @Injectable()
    class Reports {
      constructor(@InjectPool('replcia') readonly pool: Pool) {}
    }
    await expect(startOf({ providers: [Reports] })).rejects.toMatchObject(refusal);
  });

  it('is refused at start in a property', async () => {
    @Injectable()
    class Reports {
      @InjectPool('replcia') readonly pool!: Pool;
    }
    await expect(startOf({ providers: [Reports] })).rejects.toMatchObject(refusal);
  });

  it('is refused at start in a controller of a feature module', async () => {
    @Controller('reports')
    class ReportsController {
      constructor(@InjectPool('replcia') readonly pool: Pool) {}
    }
    @Module({ controllers: [ReportsController] })
    class ReportsModule {}
    await expect(startOf({ imports: [ReportsModule] })).rejects.toMatchObject(refusal);
  });

  it.each([
    ['of a request', Scope.REQUEST],
    ['of whoever injects it', Scope.TRANSIENT],
  ])('is refused at start in a provider %s', async (_, scope) => {
    @Injectable({ scope })
    class Reports {
      constructor(@InjectPool('replcia') readonly pool: Pool) {}
    }
    await expect(startOf({ providers: [Reports] })).rejects.toMatchObject(refusal);
  });

  it('is refused at start in a property of a controller of a request', async () => {
    @Controller({ path: 'reports', scope: Scope.REQUEST })
    class ReportsController {
      @InjectPool('replcia') readonly pool!: Pool;
    }
    await expect(startOf({ controllers: [ReportsController] })).rejects.toMatchObject(refusal);
  });

  it('is refused at start in the inject list of a factory', async () => {
    const reports = {
      provide: 'REPORTS',
      inject: [getPoolToken('replcia')],
      useFactory: (pool: Pool) => pool,
    };
    await expect(startOf({ providers: [reports] })).rejects.toMatchObject(refusal);
  });

  it('is refused at start in a file that is loaded after the module was declared', async () => {
    const pools = PoolModule.forRoot();
    const { LateFeatureModule } = await import('./fixtures/late-feature.module.js');
    const start = createApplication({ imports: [pools, LateFeatureModule] });
    await expect(start).rejects.toMatchObject({ code: 'POOL_UNKNOWN', requested: 'latecomer' });
  });

  it('is primary, too, where no pool has that name', async () => {
    @Injectable()
    class Accounts {
      constructor(@InjectPool() readonly pool: Pool) {}
    }
    const { connectionString } = database;
    const start = createApplication({
      imports: [PoolModule.forRoot({ pools: { reports: { connectionString } } })],
      providers: [Accounts],
    });
    await expect(start).rejects.toThrow(/no pool 'primary'; registered are: reports, admin\./);
  });

  it('is nothing to whom it is optional', async () => {
    @Injectable()
    class Reports {
      @Optional() @InjectPool('replcia') readonly inProperty?: Pool;
      constructor(@Optional() @InjectPool('replcia') readonly pool?: Pool) {}
    }
    const factory = {
      provide: 'FACTORY',
      inject: [{ token: getPoolToken('replcia'), optional: true }],
      useFactory: (pool?: Pool) => ({ pool }),
    };
    await using application = await startOf({ providers: [Reports, factory] });
    expect(application.get(Reports).pool).toBeUndefined();
    expect(application.get(Reports).inProperty).toBeUndefined();
    expect(application.get('FACTORY')).toEqual({ pool: undefined });
    await application.close();
  });

  it('is what a test provides under its token', async () => {
    @Injectable()
    class Reports {
      constructor(@InjectPool('replcia') readonly pool: Pool) {}
    }
    const provided = { provide: getPoolToken('replcia'), useValue: 'simpler' };
    await using application = await startOf({ providers: [Reports, provided] });
    expect(application.get(Reports).pool).toBe('simpler');
    await application.close();
  });

  it('disturbs no other application of the process', async () => {
    @Injectable()
    class Archive {
      constructor(@InjectPool('archive') readonly pool: Pool) {}
    }
    const { connectionString } = database;
    {
      await using other = await startApplication({
        imports: [PoolModule.forRoot({ pools: { archive: { connectionString } } })],
        providers: [Archive],
      });
      expect(other.get(Archive).pool.name).toBe('archive');

      await using application = await startApplication({ imports: [PoolModule.forRoot()] });
      expect(application.get(PoolRegistry).names()).toEqual(['primary', 'replica', 'admin']);
    }
  });
});

describe('the registry', () => {
  it('knows all pools by name', async () => {
    await using application = await startApplication({ imports: [PoolModule.forRoot()] });
    const registry = application.get(PoolRegistry);
    expect(registry.names()).toEqual(['primary', 'replica', 'admin']);
    expect([...registry].map(({ name }) => name)).toEqual(registry.names());
    expect(registry.get('replica')).toBe(application.get(getPoolToken('replica')));
    expect([registry.has('replica'), registry.has('replcia')]).toEqual([true, false]);
    expect(() => registry.get('replcia')).toThrow(UnknownPoolError);
    expect(() => registry.get('replcia')).toThrow(/Did you mean 'replica'\?/);
    expect(() => registry.get('something else entirely')).toThrow(
      /registered are: primary, replica, admin\. Name it/,
    );
  });

  it('shows the numbers of all pools at once', async () => {
    await using application = await startApplication({ imports: [PoolModule.forRoot()] });
    const registry = application.get(PoolRegistry);
    await registry.get('primary').use(() => {
      expect(registry.snapshot()).toMatchObject({
        primary: { name: 'primary', leased: 1, total: 1 },
        replica: { name: 'replica', total: 0 },
        admin: { name: 'admin', total: 0, max: 1 },
      });
    });
  });
});

describe('in a test of an application', () => {
  @Injectable()
  class Accounts {
    constructor(
      @InjectPool() readonly primary: Pool,
      @Inject(PoolRegistry) readonly registry: PoolRegistry,
    ) {}

    async count(): Promise<number> {
      const { rows } = await this.primary.query<{ count: number }>('SELECT 42 AS count');
      return rows[0]!.count;
    }
  }

  it('something simpler may stand in the place of a pool, and no server is needed', async () => {
    restore();
    restore = environmentSays({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' });
    const query = jest.fn(async () => ({ rows: [{ count: 7 }] }));
    await using application = await startApplication({
      imports: [PoolModule.forRoot()],
      providers: [Accounts],
      change: (builder) => builder.overrideProvider(getPoolToken()).useValue({ query }),
    });
    expect(await application.get(Accounts).count()).toBe(7);
    expect(application.get(PoolRegistry).get('primary')).toEqual({ query });
  });

  it('another pool may stand there, and is drained with the others', async () => {
    const own = new Pool({ connectionString: database.connectionString });
    {
      await using application = await startApplication({
        imports: [PoolModule.forRoot()],
        providers: [Accounts],
        change: (builder) => builder.overrideProvider(getPoolToken()).useValue(own),
      });
      expect(await application.get(Accounts).count()).toBe(42);
      expect(application.get(Accounts).registry.get('primary')).toBe(own);
    }
    expect(own.ended).toBe(true);
  });
});
