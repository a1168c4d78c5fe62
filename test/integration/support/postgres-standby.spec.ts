import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { PostgresServer } from '../../support/postgres/postgres-server.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';

describe('A streaming standby', () => {
  let primary: PostgresServer;
  let first: PostgresServer;
  let second: PostgresServer;

  beforeAll(async () => {
    primary = await PostgresServer.create();
    await primary.start();
    await primary.query('CREATE TABLE notes (text text)');
    await primary.query("INSERT INTO notes VALUES ('copied')");
    first = await primary.createStandby();
    second = await primary.createStandby({ settings: { recovery_min_apply_delay: 0 } });
  });

  afterAll(async () => {
    await second.remove();
    await first.remove();
    await primary.remove();
  });

  async function textsAt(server: PostgresServer): Promise<string[]> {
    const { rows } = await server.query<{ text: string }>('SELECT text FROM notes');
    return rows.map((row) => row.text);
  }

  it('holds what the primary had, and is known there by its name', async () => {
    expect(await textsAt(first)).toContain('copied');
    await eventually(async () => {
      const { rows } = await primary.query(
        'SELECT application_name AS name, state FROM pg_stat_replication ORDER BY 1',
      );
      expect(rows).toEqual([
        { name: 'standby_1', state: 'streaming' },
        { name: 'standby_2', state: 'streaming' },
      ]);
    });
  });

  it('follows the primary, asynchronous commits included', async () => {
    await primary.query('SET synchronous_commit = off; INSERT INTO notes VALUES (1)');

    await Promise.all([first.waitForReplay(primary), second.waitForReplay(primary)]);

    expect(await textsAt(first)).toContain('1');
    expect(await textsAt(second)).toContain('1');
  });

  it('refuses writes with 25006', async () => {
    await expect(first.query("INSERT INTO notes VALUES ('no')")).rejects.toMatchObject({
      code: '25006',
    });
  });

  it('shows the past while replay is paused', async () => {
    await first.pauseReplay();
    await primary.query("INSERT INTO notes VALUES ('unseen')");

    await expect(first.waitForReplay(primary, 100)).rejects.toMatchObject({
      code: 'REPLICATION_TIMED_OUT',
    });
    expect(await textsAt(first)).not.toContain('unseen');

    await first.resumeReplay();
    await first.waitForReplay(primary);
    expect(await textsAt(first)).toContain('unseen');
  });

  it('lags by recovery_min_apply_delay', async () => {
    await first.setSettings({ recovery_min_apply_delay: '1min' });
    await primary.query("INSERT INTO notes VALUES ('late')");
    await second.waitForReplay(primary);

    expect(await textsAt(first)).not.toContain('late');

    await first.setSettings({ recovery_min_apply_delay: 0 });
    await first.waitForReplay(primary);
    expect(await textsAt(first)).toContain('late');
  });

  it('catches up after its own death and after the death of the primary', async () => {
    await first.kill();
    await primary.query("INSERT INTO notes VALUES ('missed')");
    await first.start();
    await first.waitForReplay(primary);
    expect(await textsAt(first)).toContain('missed');

    await primary.kill();
    await primary.start();
    await primary.query("INSERT INTO notes VALUES ('reborn')");
    await first.waitForReplay(primary);
    expect(await textsAt(first)).toContain('reborn');
  });

  it('streams through a proxy that can hold it back', async () => {
    await using proxy = await TcpProxy.to(primary);
    const far = await primary.createStandby({ name: 'far', via: proxy });
    await proxy.pause();
    await primary.query("INSERT INTO notes VALUES ('far away')");

    await expect(far.waitForReplay(primary, 100)).rejects.toThrow(/has not replayed/);
    await proxy.resume();
    await far.waitForReplay(primary);

    expect(await textsAt(far)).toContain('far away');
    await far.remove();
  });

  it('frees its place at the primary when it is removed', async () => {
    const short = await primary.createStandby({ name: 'short' });
    await short.remove();

    const { rows } = await primary.query('SELECT slot_name FROM pg_replication_slots ORDER BY 1');
    expect(rows).toEqual([{ slot_name: 'standby_1' }, { slot_name: 'standby_2' }]);
  });

  it('becomes the primary, and the other standby follows it', async () => {
    await primary.stop();

    await first.promote();
    await first.query("INSERT INTO notes VALUES ('new time')");
    await second.follow(first);
    await second.waitForReplay(first);

    expect(await textsAt(second)).toContain('new time');
  });
});
