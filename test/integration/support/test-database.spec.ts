import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { testDatabase } from '../../support/test-database.js';

describe('testDatabase()', () => {
  it('gives each caller a database of its own', async () => {
    await using one = await testDatabase();
    await using other = await testDatabase();

    await one.query('CREATE TABLE here ()');

    await expect(one.query('SELECT FROM here')).resolves.toBeDefined();
    await expect(other.query('SELECT FROM here')).rejects.toMatchObject({ code: '42P01' });
  });

  it('is dropped together with the connections that a test left behind', async () => {
    const database = await testDatabase();
    const client = new pg.Client(database.connectionString);
    const ended = new Promise((resolve) => client.on('error', resolve));
    await client.connect();

    await database.drop();

    expect(await ended).toMatchObject({ code: '57P01' });
    await expect(database.query('SELECT 1')).rejects.toMatchObject({ code: '3D000' });
  });
});
