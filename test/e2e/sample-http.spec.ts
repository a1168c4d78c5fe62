import { describe, expect, it } from '@jest/globals';
import { getPoolToken, type Pool } from 'nestjs-pools';
import { eventually } from '../support/eventually.js';
import { lockTable } from './support/lock-table.js';
import type { PoolInHealth } from './support/sample-client.js';
import { startedSample } from './support/started-sample.js';

describe('the sample over HTTP', () => {
  const sample = startedSample();
  const server = () => sample.asks();

  async function openAccount(
    openingCents: number | string,
    owner = 'Grace Hopper',
  ): Promise<number> {
    const { body } = await server().post('/accounts').send({ owner, openingCents }).expect(201);
    return body.id as number;
  }

  async function balanceOf(account: number): Promise<string> {
    const { body } = await server().get(`/accounts/${account}/balance`).expect(200);
    return body.balanceCents as string;
  }

  it('has nothing for operators while no token is set', async () => {
    await server().get('/admin/pools').expect(404);
  });

  describe('accounts', () => {
    it('are seeded, the same balances every time, and no money came from nowhere', async () => {
      const { rows } = await sample.database.query(
        `SELECT count(*)::text AS accounts, min(balance_cents)::text AS least,
                (sum(balance_cents) - sum(opening_cents))::text AS created,
                (SELECT count(*)::text FROM bank.transfers) AS transfers
           FROM bank.accounts WHERE id <= 100`,
      );
      expect(rows).toMatchObject([{ accounts: '100', created: '0', transfers: '20000' }]);
      expect(Number(rows[0]!['least'])).toBeGreaterThan(0);
      expect(await balanceOf(1)).toBe('9921349');
    });

    it('come a page at a time in the order of their numbers', async () => {
      const first = await server().get('/accounts?limit=2').expect(200);
      const second = await server().get('/accounts?limit=2&after=2').expect(200);
      const ids = [...first.body, ...second.body].map((account: { id: number }) => account.id);
      expect(ids).toEqual([1, 2, 3, 4]);
    });

    it('are opened with an owner and answered by their number', async () => {
      const opened = await server()
        .post('/accounts')
        .send({ owner: 'Ada Lovelace', openingCents: 50_000 })
        .expect(201);
      const read = await server().get(`/accounts/${opened.body.id}`).expect(200);
      expect(read.body).toEqual(opened.body);
      expect(read.body).toMatchObject({ owner: 'Ada Lovelace', balanceCents: '50000' });
    });

    it('start empty unless told otherwise', async () => {
      const { body } = await server().post('/accounts').send({ owner: 'Ada' }).expect(201);
      expect(body.balanceCents).toBe('0');
    });

    it('hold amounts that no JSON number holds, to the last cent', async () => {
      const account = await openAccount('9007199254740993');
      expect(await balanceOf(account)).toBe('9007199254740993');
    });

    it.each([
      '/accounts/2147483647',
      '/accounts/2147483647/balance',
      '/accounts/2147483647/history',
    ])('that do not exist are 404: %s', async (path) => {
      const { body } = await server().get(path).expect(404);
      expect(body.message).toContain('2147483647');
    });

    it.each([
      '/accounts/abc',
      '/accounts/0',
      '/accounts/1.5',
      '/accounts/99999999999',
      '/accounts?limit=0',
      '/accounts?limit=101',
      '/accounts?colour=red',
      '/accounts/1/history?before=x',
    ])('are not asked for a malformed thing, which is 400: %s', async (path) => {
      const { body } = await server().get(path).expect(400);
      expect(body.message).toEqual(expect.arrayContaining([expect.any(String)]));
    });
  });

  describe('transfers', () => {
    it('move money from one account to the other', async () => {
      const [from, to] = [await openAccount(1_000), await openAccount(5)];
      const { body } = await server()
        .post('/transfers')
        .send({ from, to, amountCents: 400 })
        .expect(201);
      expect(body).toMatchObject({ id: expect.any(String), from, to, amountCents: '400' });
      expect(await balanceOf(from)).toBe('600');
      expect(await balanceOf(to)).toBe('405');
    });

    it('may take the last cent, and no more', async () => {
      const [from, to] = [await openAccount(1_000), await openAccount(0)];
      await server().post('/transfers').send({ from, to, amountCents: '1000' }).expect(201);
      const { body } = await server()
        .post('/transfers')
        .send({ from, to, amountCents: 1 })
        .expect(422);
      expect(body.message).toContain('holds 0 cents');
      expect(await balanceOf(from)).toBe('0');
      expect(await balanceOf(to)).toBe('1000');
    });

    it('that are refused leave no trace and no open transaction', async () => {
      const [from, to] = [await openAccount(10), await openAccount(0)];
      const refused = Array.from({ length: 30 }, () =>
        server().post('/transfers').send({ from, to, amountCents: 11 }).expect(422),
      );
      await Promise.all(refused);
      const { rows } = await sample.database.query(
        `SELECT (SELECT count(*)::integer FROM pg_stat_activity
                  WHERE datname = current_database() AND state LIKE 'idle in transaction%') AS open,
                (SELECT count(*)::integer FROM bank.transfers WHERE from_account = $1) AS moved`,
        [from],
      );
      expect(rows).toEqual([{ open: 0, moved: 0 }]);
    });

    it('in both directions at once deadlock nobody and lose no cent', async () => {
      const [one, two] = [await openAccount(10_000), await openAccount(10_000)];
      const both = Array.from({ length: 60 }, (_, n) =>
        server()
          .post('/transfers')
          .send(
            n % 2 ? { from: one, to: two, amountCents: 7 } : { from: two, to: one, amountCents: 3 },
          )
          .expect(201),
      );
      await Promise.all(both);
      expect(await balanceOf(one)).toBe(String(10_000 - 30 * 7 + 30 * 3));
      expect(await balanceOf(two)).toBe(String(10_000 + 30 * 7 - 30 * 3));
    });

    it('cannot push a balance over what the column holds', async () => {
      const [from, to] = [await openAccount(1), await openAccount('9223372036854775807')];
      await server().post('/transfers').send({ from, to, amountCents: 1 }).expect(422);
      expect(await balanceOf(from)).toBe('1');
    });

    it('need two accounts that exist', async () => {
      const account = await openAccount(10);
      const nobody = 2_147_483_647;
      await server()
        .post('/transfers')
        .send({ from: account, to: nobody, amountCents: 1 })
        .expect(404);
      await server()
        .post('/transfers')
        .send({ from: nobody, to: account, amountCents: 1 })
        .expect(404);
      await server()
        .post('/transfers')
        .send({ from: account, to: account, amountCents: 1 })
        .expect(422);
      expect(await balanceOf(account)).toBe('10');
    });

    it.each([
      ['nothing', {}],
      ['no amount', { from: 1, to: 2 }],
      ['an amount of nothing', { from: 1, to: 2, amountCents: 0 }],
      ['a negative amount', { from: 1, to: 2, amountCents: -5 }],
      ['half a cent', { from: 1, to: 2, amountCents: 0.5 }],
      ['an amount in words', { from: 1, to: 2, amountCents: 'ten' }],
      ['an amount that JSON has rounded', { from: 1, to: 2, amountCents: 2 ** 53 }],
      ['an amount beyond the column', { from: 1, to: 2, amountCents: '9223372036854775808' }],
      ['an account in words', { from: 'me', to: 2, amountCents: 1 }],
      ['a field that nobody knows', { from: 1, to: 2, amountCents: 1, note: 'rent' }],
    ])('are refused with 400 for %s', async (_what, body) => {
      const answer = await server().post('/transfers').send(body).expect(400);
      expect(answer.body.message).toEqual(expect.arrayContaining([expect.any(String)]));
    });

    it('are refused with 400 for a body that is no JSON', async () => {
      const { body } = await server()
        .post('/transfers')
        .type('json')
        .send('{"from":1,')
        .expect(400);
      expect(body).toMatchObject({ statusCode: 400, error: 'Bad Request' });
    });
  });

  describe('history', () => {
    it('shows what came in and what went out, newest first', async () => {
      const [mine, other] = [await openAccount(100), await openAccount(100)];
      await server()
        .post('/transfers')
        .send({ from: mine, to: other, amountCents: 30 })
        .expect(201);
      await server().post('/transfers').send({ from: other, to: mine, amountCents: 5 }).expect(201);
      const { body } = await server().get(`/accounts/${mine}/history`).expect(200);
      expect(body).toMatchObject([
        { direction: 'in', counterparty: other, amountCents: '5' },
        { direction: 'out', counterparty: other, amountCents: '30' },
      ]);
    });

    it('goes on where the page before ended', async () => {
      const all = await server().get('/accounts/1/history?limit=6').expect(200);
      const before = all.body[2].transferId as string;
      const rest = await server().get(`/accounts/1/history?limit=3&before=${before}`).expect(200);
      expect(rest.body).toEqual(all.body.slice(3));
    });

    it('of an account without transfers is empty, not missing', async () => {
      const account = await openAccount(1);
      const { body } = await server().get(`/accounts/${account}/history`).expect(200);
      expect(body).toEqual([]);
    });
  });

  describe('the weekly report', () => {
    it('sums up the weeks, newest first, and says what answered', async () => {
      const { body } = await server().get('/reports/weekly?weeks=3').expect(200);
      expect(body.answeredBy).toBe('primary');
      expect(body.weeks).toHaveLength(3);
      const [, lastWeek] = body.weeks;
      expect(lastWeek).toEqual({
        weekStarting: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
        transfers: 2016,
        payingAccounts: 100,
        totalCents: expect.stringMatching(/^\d+$/),
        averageCents: expect.stringMatching(/^\d+$/),
        largestCents: expect.stringMatching(/^\d+$/),
      });
      const starts = body.weeks.map((week: { weekStarting: string }) => week.weekStarting);
      expect(starts).toEqual(starts.toSorted().toReversed());
    });

    it('holds no transfer up, however slow it is', async () => {
      const reports = Array.from({ length: 12 }, () =>
        server().get('/reports/weekly?weeks=1&delaySeconds=1.5').expect(200),
      );
      const all = Promise.all(reports).then(() => 'reports');
      const transfer = server()
        .post('/transfers')
        .send({ from: 1, to: 2, amountCents: 1 })
        .expect(201);
      expect(await Promise.race([all, transfer.then(() => 'transfer')])).toBe('transfer');
      await all;
    });

    it.each(['weeks=0', 'weeks=1.5', 'delaySeconds=11', 'delaySeconds=-1', 'delaySeconds=long'])(
      'is refused with 400 for %s',
      async (query) => {
        const { body } = await server().get(`/reports/weekly?${query}`).expect(400);
        expect(body.message).toEqual(expect.arrayContaining([expect.any(String)]));
      },
    );
  });

  describe('health', () => {
    // Degraded, after what the tests before have made callers wait for.
    const SERVES = expect.stringMatching(/^(ok|up|degraded)$/);

    it('tells of both pools, with their numbers', async () => {
      const { body } = await server().get('/health').expect(200);
      expect(body).toMatchObject({
        status: SERVES,
        details: { primary: { status: SERVES }, replica: { status: SERVES } },
      });
    });

    it('tells an orchestrator whether it lives and is ready', async () => {
      await server().get('/health/live').expect(200).expect({ status: 'ok' });
      const { body } = await server().get('/health/ready').expect(200);
      expect(body).toMatchObject({ status: SERVES, details: { primary: { role: 'primary' } } });
    });

    it('stays up while every connection of the primary is lent out', async () => {
      const release = await lockTable(sample.database.connectionString, 'bank.accounts');
      const transfers = Array.from({ length: 15 }, () =>
        server().post('/transfers').send({ from: 3, to: 4, amountCents: 1 }),
      );
      const answered = Promise.all(transfers);
      try {
        await eventually(async () => {
          const { body } = await server().get('/health').expect(200);
          const { primary } = body.details as { primary: PoolInHealth };
          expect(primary).toMatchObject({ status: SERVES, leased: 10, waiting: 5 });
        });
      } finally {
        await release();
      }
      expect((await answered).every(({ status }) => status === 201)).toBe(true);
    });
  });

  describe('documentation', () => {
    it('describes every endpoint as OpenAPI', async () => {
      const { body } = await server().get('/docs-json').expect(200);
      expect(Object.keys(body.paths).toSorted()).toEqual([
        '/accounts',
        '/accounts/{id}',
        '/accounts/{id}/balance',
        '/accounts/{id}/history',
        '/health',
        '/health/live',
        '/health/ready',
        '/metrics',
        '/reports/weekly',
        '/transfers',
      ]);
      expect(body.paths['/health/ready'].get).toMatchObject({
        summary: 'Whether requests can be served',
        responses: { 200: expect.anything(), 503: expect.anything() },
      });
      expect(body.paths['/accounts/{id}/history'].get.description).toContain('replica');
      expect(body.components.schemas.CreateTransferDto.required).toEqual([
        'from',
        'to',
        'amountCents',
      ]);
    });

    it('is a page at /docs', async () => {
      const { text } = await server().get('/docs').expect(200).expect('Content-Type', /html/);
      expect(text).toContain('swagger-ui');
    });

    it('begins at a home page with links and lines to try', async () => {
      const { text } = await server().get('/').expect(200).expect('Content-Type', /html/);
      expect(text).toContain('<a href="/docs">');
      expect(text).toMatch(/curl -s http:\/\/127\.0\.0\.1:\d+\/accounts\/1/);
    });
  });

  // The last one: it takes a pool away for good.
  describe('a pool that cannot serve', () => {
    it('is answered with 503, the code of the error and when to try again', async () => {
      const replica = sample.app.get<Pool>(getPoolToken('replica'));
      await replica.drain(0);
      const { body } = await server()
        .get('/accounts/1/history')
        .expect(503)
        .expect('Retry-After', '1');
      expect(body).toMatchObject({ statusCode: 503, code: 'POOL_CLOSED' });
      await server().get('/accounts/1/balance').expect(200);
    });
  });
});
