import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { testDatabase } from '../support/test-database.js';
import { lockTable } from './support/lock-table.js';
import { SampleClient } from './support/sample-client.js';
import { addressOf, runSample } from './support/sample-process.js';
import { startedSample } from './support/started-sample.js';

/** A value of a statement, higher than any process id or port. */
const SHOWN_NOWHERE = 9_100_001;

describe('the sample, for operators', () => {
  const environment = { OPERATOR_TOKEN: 'open sesame' };
  const sample = startedSample({ environment, logger: false });
  const server = () => sample.asks();
  const allowed = { authorization: 'Bearer open sesame' };

  it.each([{}, { authorization: 'Bearer' }, { authorization: 'Bearer open sesame!' }])(
    'lets nobody in without the token: %o',
    async (headers) => {
      await server().get('/admin/pools').set(headers).expect(403);
      await server().post('/admin/pools/primary/suspend').set(headers).expect(403);
    },
  );

  it('names the transfer that waits, who blocks it, and the way out', async () => {
    const unlock = await lockTable(sample.database.connectionString, 'bank.accounts');
    const transfer = server()
      .post('/transfers')
      .send({ from: 1, to: 2, amountCents: SHOWN_NOWHERE })
      .then(({ status }) => status);
    const text = await eventually(async () => {
      const answer = await server().get('/admin/pools/text?server=true').set(allowed).expect(200);
      expect(answer.text).toMatch(
        /^primary: 1 of 10 lent, nobody waits; held longest by TransfersService\.transfer, .*, running 'SELECT id, balance_cents FROM bank\.accounts WHERE id IN \(\$1, \$2\) ORDER BY id FOR NO KEY UPDATE' for .*, blocked by backend \d+ \(application '/,
      );
      return answer.text;
    });
    expect(text).not.toContain(String(SHOWN_NOWHERE));

    const [, backend] = /backend (\d+)\n +server: active/.exec(text) ?? [];
    const told = await server()
      .post(`/admin/pools/backends/${backend}/cancel`)
      .set(allowed)
      .expect(200);
    expect(told.body).toMatchObject({ pool: 'primary', label: 'TransfersService.transfer' });
    expect(await transfer).toBe(500);
    await unlock();
  });
});

// There is no SIGUSR2 on Windows.
const onUnix = process.platform === 'win32' ? it.skip : it;

onUnix(
  'the sample writes to its log who holds what, by the line that it offers',
  async () => {
    await using database = await testDatabase();
    await using sample = runSample({ DATABASE_URL: database.connectionString });
    const client = new SampleClient(await addressOf(sample));
    const [, pid] = await sample.says(/^ {2}kill -USR2 (\d+)$/m);
    const unlock = await lockTable(database.connectionString, 'bank.accounts');
    const transfer = client.post('/transfers', { from: 1, to: 2, amountCents: SHOWN_NOWHERE });
    await eventually(async () => (await client.poolInHealth('primary')).leased === 1);

    process.kill(Number(pid), 'SIGUSR2');
    await sample.says(/asked by SIGUSR2\n.*held longest by TransfersService\.transfer/);
    expect(sample.stdout).not.toContain(String(SHOWN_NOWHERE));

    await unlock();
    expect((await transfer).status).toBe(201);
  },
  90_000,
);
