import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { PoolTestingModule, TransactionalTests } from 'nestjs-pools/testing';
import type { Server } from 'node:http';
import request from 'supertest';
import { testDatabase, type TestDatabase } from '../support/test-database.js';

describe('tests of the sample that roll back', () => {
  let database: TestDatabase;
  let app: INestApplication<Server>;
  let tests: TransactionalTests;
  const server = () => request(app.getHttpServer());

  beforeAll(async () => {
    database = await testDatabase();
    process.env.DATABASE_URL = database.connectionString;
    process.env.DATABASE_REPLICA_URL = database.connectionString;

    const { AppModule } = await import('../../sample/app.module.js');
    const { configureApp } = await import('../../sample/configure-app.js');
    const module = await Test.createTestingModule({
      imports: [AppModule, PoolTestingModule.forTest()],
    }).compile();
    app = module.createNestApplication({ logger: ['error'] });
    configureApp(app);
    await app.listen(0, '127.0.0.1');
    tests = app.get(TransactionalTests);
  });

  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  beforeEach(() => tests.begin());
  afterEach(async () => {
    await tests.rollback();
    const { rows } = await database.query('SELECT count(*)::int AS transfers FROM bank.transfers');
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
