import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { lockTable } from './support/lock-table.js';
import { startedSample } from './support/started-sample.js';

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
      .send({ from: 1, to: 2, amountCents: 4_242 })
      .then(({ status }) => status);
    const text = await eventually(async () => {
      const answer = await server().get('/admin/pools/text?server=true').set(allowed).expect(200);
      expect(answer.text).toMatch(
        /^primary: 1 of 10 lent, nobody waits; held longest by TransfersService\.transfer, .*, running 'SELECT id, balance_cents FROM bank\.accounts WHERE id IN \(\$1, \$2\) ORDER BY id FOR NO KEY UPDATE' for .*, blocked by backend \d+ \(application '/,
      );
      return answer.text;
    });
    expect(text).not.toContain('4242');

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
