import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { type INestApplication, Injectable, UseInterceptors } from '@nestjs/common';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import {
  Args,
  Field,
  GraphQLModule,
  Int,
  Mutation,
  ObjectType,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import request from 'supertest';
import { WebSocket } from 'ws';
import {
  InjectPool,
  Pool,
  PoolModule,
  type PoolModuleOptions,
  ReadOnly,
  Transactional,
  TransactionInterceptor,
} from '../../../lib/index.js';
import { deferred } from '../../support/deferred.js';
import { createApplication } from '../nest/support/application.js';
import { openApplications } from './support/open-applications.js';
import { askedBy, primaryAndStandby } from './support/primary-and-standby.js';

const servers = primaryAndStandby();

const SECRET = 'a secret of a test, which is long enough';
const ON_REPLICA = { at: 'standby', access: 'reads' };
const ON_PRIMARY = { at: 'primary', access: 'writes' };

@ObjectType()
class Asked {
  @Field()
  at!: string;

  @Field()
  access!: string;
}

@ObjectType()
class Added {
  @Field(() => Int)
  id!: number;
}

/** Two requests that are under way at the same time. */
@Injectable()
class Meeting {
  readonly hasWritten = deferred();
  readonly mayGoOn = deferred();
}

@Injectable()
class Entries {
  constructor(
    @InjectPool() readonly primary: Pool,
    @InjectPool('replica') readonly replica: Pool,
  ) {}

  async insert(id: number): Promise<Added> {
    await this.primary.query('INSERT INTO entry VALUES ($1)', [id]);
    return { id };
  }

  /** From the replica pool. */
  async ids(): Promise<number[]> {
    const { rows } = await this.replica.query<{ id: number }>('SELECT id FROM entry ORDER BY id');
    return rows.map(({ id }) => id);
  }
}

@Resolver()
class EntriesResolver {
  constructor(
    private readonly entries: Entries,
    private readonly meeting: Meeting,
  ) {}

  @Query(() => [Int])
  async all() {
    return await this.entries.ids();
  }

  @Mutation(() => Added)
  async add(@Args('id', { type: () => Int }) id: number) {
    return await this.entries.insert(id);
  }

  @Mutation(() => [Int])
  async allNow() {
    return await this.entries.ids();
  }

  @Mutation(() => Added)
  async addAndMeet(@Args('id', { type: () => Int }) id: number) {
    const added = await this.entries.insert(id);
    this.meeting.hasWritten.resolve();
    await this.meeting.mayGoOn.promise;
    return added;
  }

  @Mutation(() => Added)
  async addAndFail(@Args('id', { type: () => Int }) id: number) {
    await this.entries.insert(id);
    throw new Error('behind the write');
  }

  /** One event, behind a write. */
  @Subscription(() => Added)
  async *added(@Args('id', { type: () => Int }) id: number) {
    yield { added: await this.entries.insert(id) };
  }
}

/** What is asked behind a write, by whatever has answered that. */
@Resolver(() => Added)
class AddedResolver {
  constructor(private readonly entries: Entries) {}

  @ResolveField(() => [Int])
  async all() {
    return await this.entries.ids();
  }

  @ReadOnly()
  @ResolveField(() => Asked)
  async asked() {
    return await askedBy(this.entries.primary);
  }
}

@Resolver()
class DecoratedResolver {
  constructor(private readonly entries: Entries) {}

  @Query(() => Asked)
  @ReadOnly()
  async readOnly() {
    return await askedBy(this.entries.primary);
  }

  @Query(() => Asked)
  @UseInterceptors(TransactionInterceptor.with({ route: 'replica' }))
  async intercepted() {
    return await askedBy(this.entries.primary);
  }

  @Mutation(() => Asked)
  @Transactional()
  async transactional() {
    return await askedBy(this.entries.primary);
  }

  @Transactional()
  @Mutation(() => Added)
  async addInTransaction(
    @Args('id', { type: () => Int }) id: number,
    @Args('fails', { defaultValue: false }) fails: boolean,
  ) {
    return await this.#add(id, fails);
  }

  @UseInterceptors(TransactionInterceptor)
  @Mutation(() => Added)
  async addIntercepted(
    @Args('id', { type: () => Int }) id: number,
    @Args('fails', { defaultValue: false }) fails: boolean,
  ) {
    return await this.#add(id, fails);
  }

  async #add(id: number, fails: boolean): Promise<Added> {
    const added = await this.entries.insert(id);
    if (fails) throw new Error('as the mutation wants it');
    return added;
  }
}

type Adapter = 'express' | 'fastify';

const keep = openApplications(servers);

async function start(
  adapter: Adapter,
  options: PoolModuleOptions = {},
  ofGraphql: Partial<ApolloDriverConfig> = {},
) {
  const application = await createApplication({
    imports: [
      PoolModule.forRoot(options),
      GraphQLModule.forRoot<ApolloDriverConfig>({
        driver: ApolloDriver,
        autoSchemaFile: true,
        graphiql: false,
        subscriptions: { 'graphql-ws': true },
        ...ofGraphql,
      }),
    ],
    providers: [Entries, Meeting, EntriesResolver, AddedResolver, DecoratedResolver],
    ...(adapter === 'fastify' && { adapter: new FastifyAdapter() }),
  });
  keep(application);
  await application.listen(0, '127.0.0.1');
  const http = request(await application.getUrl());
  return {
    application,
    /** Sends a document, and these headers. */
    ask: async (query: string, headers: Readonly<Record<string, string>> = {}) =>
      await http.post('/graphql').set(headers).send({ query }),
  };
}

describe.each(['express', 'fastify'] as const)('a GraphQL request on %s', (adapter) => {
  it('sees what it has written, in its fields and in its next mutation', async () => {
    const { ask } = await start(adapter);
    await servers.standby.pauseReplay();

    const { body } = await ask('mutation { add(id: 1) { id all } allNow }');

    expect(body).toEqual({ data: { add: { id: 1, all: [1] }, allNow: [1] } });
    expect((await ask('{ all }')).body).toEqual({ data: { all: [] } });
  });

  it('may read the past with causal off', async () => {
    const { ask } = await start(adapter, { causal: 'off' });
    await servers.standby.pauseReplay();

    const { body } = await ask('mutation { add(id: 1) { id all } allNow }');

    expect(body).toEqual({ data: { add: { id: 1, all: [] }, allNow: [] } });
  });

  it('shares nothing with one that is under way at the same time', async () => {
    const { application, ask } = await start(adapter);
    const { hasWritten, mayGoOn } = application.get(Meeting);
    await servers.standby.pauseReplay();

    const one = ask('mutation { addAndMeet(id: 1) { all } }');
    await hasWritten.promise;
    const other = await ask('{ all }');
    mayGoOn.resolve();

    expect(other.body).toEqual({ data: { all: [] } });
    expect((await one).body).toEqual({ data: { addAndMeet: { all: [1] } } });
  });

  it.each(['add', 'addAndFail', 'addInTransaction'])(
    'has the next one of its client see what it has written with %s, on another instance',
    async (mutation) => {
      const options = { causalWindowMs: 60_000, causalToken: { secret: SECRET, maxAgeMs: 60_000 } };
      const one = await start(adapter, options);
      const other = await start(adapter, options);
      await servers.standby.pauseReplay();

      const { headers } = await one.ask(`mutation { ${mutation}(id: 1) { id } }`);

      const cookies = [headers['set-cookie']].flat();
      expect(cookies).toEqual([expect.stringMatching(/^pools-seen=[\w.-]+; Max-Age=60; /)]);
      const Cookie = cookies[0]!.split(';')[0]!;
      const seen = { data: { all: [1] } };
      expect((await other.ask('{ all }', { Cookie })).body).toEqual(seen);
      const token = headers['x-pools-seen']!;
      expect((await other.ask('{ all }', { 'X-Pools-Seen': token })).body).toEqual(seen);
      expect((await other.ask('{ all }')).body).toEqual({ data: { all: [] } });
    },
  );

  it('is told nothing where it has written nothing', async () => {
    const { ask } = await start(adapter, { causalToken: { secret: SECRET } });

    const { headers } = await ask('{ all }');

    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers).not.toHaveProperty('x-pools-seen');
  });

  it('runs methods of resolvers in the transactions that these declare', async () => {
    const { ask } = await start(adapter);
    const fields = '{ at access }';

    const read = await ask(`{ readOnly ${fields} intercepted ${fields} }`);
    const written = await ask(
      `mutation { transactional ${fields} add(id: 1) { asked ${fields} } }`,
    );

    expect(read.body).toEqual({ data: { readOnly: ON_REPLICA, intercepted: ON_REPLICA } });
    expect(written.body).toMatchObject({
      data: { transactional: ON_PRIMARY, add: { asked: { access: 'reads' } } },
    });
  });

  it.each(['addInTransaction', 'addIntercepted'])(
    'keeps what %s has written, shows it to the fields, and undoes it with an error',
    async (mutation) => {
      const { ask } = await start(adapter);
      await servers.standby.pauseReplay();

      const kept = await ask(`mutation { ${mutation}(id: 1) { all } }`);
      const undone = await ask(`mutation { ${mutation}(id: 2, fails: true) { all } }`);

      expect(kept.body).toEqual({ data: { [mutation]: { all: [1] } } });
      expect(undone.body).toMatchObject({
        data: null,
        errors: [{ message: 'as the mutation wants it', path: [mutation] }],
      });
      expect(await servers.entries()).toEqual([1]);
    },
  );
});

/** Sends one operation over a WebSocket, and collects its results. */
async function overWebSocket(application: INestApplication, query: string): Promise<unknown[]> {
  const url = (await application.getUrl()).replace(/^http/, 'ws');
  const socket = new WebSocket(`${url}/graphql`, 'graphql-transport-ws');
  try {
    const results: unknown[] = [];
    const completed = deferred();
    socket.on('error', completed.reject);
    socket.on('close', () => completed.reject(new Error('closed before it was completed')));
    socket.on('message', (data: Buffer) => {
      const { type, payload } = JSON.parse(data.toString()) as { type: string; payload?: unknown };
      if (type === 'connection_ack')
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
      if (type === 'next') results.push(payload);
      if (type === 'complete') completed.resolve();
    });
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    await completed.promise;
    return results;
  } finally {
    socket.terminate();
  }
}

describe('an operation over a WebSocket', () => {
  it('sees what it has written in its next mutation, and may read the past in its fields', async () => {
    const { application } = await start('express');
    await servers.standby.pauseReplay();

    const results = await overWebSocket(application, 'mutation { add(id: 1) { id all } allNow }');

    expect(results).toEqual([{ data: { add: { id: 1, all: [] }, allNow: [1] } }]);
  });

  it('sees it in its fields, too, where they have interceptors', async () => {
    const { application } = await start(
      'express',
      {},
      { fieldResolverEnhancers: ['interceptors'] },
    );
    await servers.standby.pauseReplay();

    const [first, second] = [
      await overWebSocket(application, 'mutation { add(id: 1) { id all } allNow }'),
      await overWebSocket(application, '{ all }'),
    ];

    expect(first).toEqual([{ data: { add: { id: 1, all: [1] }, allNow: [1] } }]);
    expect(second).toEqual([{ data: { all: [] } }]);
  });

  it('may read the past in the event of a subscription', async () => {
    const { application } = await start('express');
    await servers.standby.pauseReplay();

    const results = await overWebSocket(application, 'subscription { added(id: 1) { id all } }');

    expect(results).toEqual([{ data: { added: { id: 1, all: [] } } }]);
  });
});
