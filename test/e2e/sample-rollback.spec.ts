import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PoolTestingModule, TransactionalTests } from 'nestjs-pools/testing';
import { startedSample } from './support/started-sample.js';

describe('tests of the sample that roll back', () => {
  const sample = startedSample({ imports: [PoolTestingModule.forTest()] });
  const server = () => sample.asks();
  const tests = () => sample.app.get(TransactionalTests);

  beforeEach(() => tests().begin());
  afterEach(async () => {
    await tests().rollback();
    const { rows } = await sample.database.query(
      'SELECT count(*)::int AS transfers FROM bank.transfers',
    );
    expect(rows).toEqual([{ transfers: 20_000 }]);
  });

  it('move money, and find it in the history on the replica', async () => {
    const before = await server().get('/accounts/1/balance').expect(200);
    await server().post('/transfers').send({ from: 1, to: 2, amountCents: 100 }).expect(201);
    const after = await server().get('/accounts/1/balance').expect(200);
    expect(BigInt(after.body.balanceCents)).toBe(BigInt(before.body.balanceCents) - 100n);
    const { body } = await server().get('/accounts/1/history').expect(200);
    expect(JSON.stringify(body)).toContain('"100"');
  });

  it('find the balance as it was', async () => {
    const { body } = await server().get('/accounts/1/balance').expect(200);
    expect(body.balanceCents).toBe('9921349');
  });

  it('are told of a refusal, which undoes nothing else', async () => {
    const { body } = await server()
      .post('/accounts')
      .send({ owner: 'Ada', openingCents: 50 })
      .expect(201);
    const transfer = { from: body.id as number, to: 1, amountCents: 51 };
    await server().post('/transfers').send(transfer).expect(422);
    await server()
      .post('/transfers')
      .send({ ...transfer, amountCents: 50 })
      .expect(201);
    const left = await server().get(`/accounts/${body.id}/balance`).expect(200);
    expect(left.body.balanceCents).toBe('0');
  });
});
