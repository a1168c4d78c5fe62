import { describe, expect, it } from '@jest/globals';
import { currentTransaction, type TransactionOptions } from '../../../lib/index.js';
import { askedBy, managerOf, primaryAndStandby } from './support/primary-and-standby.js';

const servers = primaryAndStandby();

const ROUTED: TransactionOptions = { route: 'replica' };
const ILLEGAL = { code: 'POOL_ILLEGAL_TRANSACTION_STATE' };
const WRITE = 'INSERT INTO entry VALUES (1)';
const COUNT = 'SELECT count(*)::int AS n FROM entry';

describe('a routed transaction', () => {
  it('is one for both pools, on one connection of the replica, READ ONLY', async () => {
    const { primary, replica, transactions } = servers.open();

    await transactions.run(ROUTED, async (tx) => {
      const asked = await askedBy(primary);
      expect(asked).toMatchObject({ at: 'standby', access: 'reads' });
      expect(await askedBy(replica)).toEqual(asked);
      expect(await askedBy(tx)).toEqual(asked);
      expect(await primary.use((client) => askedBy(client))).toEqual(asked);
      expect(transactions.current()?.label).toBe(tx.label);
      expect(transactions.current('replica')?.label).toBe(tx.label);
    });

    expect(primary.stats().total).toBe(0);
    expect(replica.stats().total).toBe(1);
  });

  it('gives its statements one snapshot where it asks for that', async () => {
    const { primary, replica, transactions } = servers.open();

    await transactions.run({ ...ROUTED, isolation: 'repeatable read' }, async () => {
      const { rows: before } = await primary.query(COUNT);
      await servers.primary.query(WRITE);
      await servers.standby.waitForReplay(servers.primary);
      const { rows: after } = await replica.query(COUNT);
      expect([before[0].n, after[0].n]).toEqual([0, 0]);
    });
  });

  it('refuses to write', async () => {
    const { primary, transactions } = servers.open();

    const run = transactions.run(ROUTED, () => primary.query(WRITE));

    await expect(run).rejects.toMatchObject({ code: '25006' });
    expect(await servers.entries()).toEqual([]);
  });

  it('leaves what is used beside it where it was', async () => {
    const { primary, transactions } = servers.open();

    await transactions.run(ROUTED, async () => {
      expect(await askedBy(primary.outside)).toMatchObject({ at: 'primary', access: 'writes' });
    });
  });

  it('reads on the primary, READ ONLY, where there is no replica pool', async () => {
    const { primary } = servers.open();
    const transactions = managerOf(new Map([['primary', primary]]));

    await transactions.run(ROUTED, async () => {
      expect(await askedBy(primary)).toMatchObject({ at: 'primary', access: 'reads' });
    });
    const misspelt = transactions.run({ route: 'replcia' }, () => {});
    await expect(misspelt).rejects.toThrow(/replcia/);
  });

  it('reads on a pool that is its own replica', async () => {
    const { replica, transactions } = servers.open();

    await transactions.run({ pool: 'replica', ...ROUTED }, async () => {
      expect(await askedBy(replica)).toMatchObject({ at: 'standby', access: 'reads' });
    });
  });

  it('says by the name of the replica pool what becomes of it', async () => {
    const { primary, transactions } = servers.open();

    const run = transactions.run({ ...ROUTED, timeoutMs: 50, label: 'Reports.slow' }, () =>
      primary.query('SELECT pg_sleep(60)'),
    );

    await expect(run).rejects.toMatchObject({ code: 'POOL_TRANSACTION_TIMEOUT', pool: 'replica' });
  });

  it.each<[TransactionOptions, RegExp]>([
    [{ ...ROUTED, readOnly: false }, /route is for what only reads/],
    [{ ...ROUTED, isolation: 'serializable' }, /which no standby has/],
    [{ route: '' }, /route must be a text/],
  ])('is refused at once with %j', async (options, problem) => {
    const { transactions } = servers.open();

    const run = transactions.run(options, () => 'ran');

    await expect(run).rejects.toMatchObject({ code: 'POOL_INVALID_TRANSACTION_OPTIONS' });
    await expect(run).rejects.toThrow(problem);
  });
});

describe('a transaction that is not routed', () => {
  it('stays on its pool, also with readOnly', async () => {
    const { primary, replica, transactions } = servers.open();

    await transactions.run({ readOnly: true }, async () => {
      expect(await askedBy(primary)).toMatchObject({ at: 'primary', access: 'reads' });
    });
    await transactions.run({ pool: 'replica' }, async () => {
      const inside = await askedBy(replica);
      expect(inside).toMatchObject({ at: 'standby' });
      expect(await askedBy(primary)).toMatchObject({ at: 'primary', access: 'writes' });
    });
  });
});

describe('a routed method inside a transaction that writes', () => {
  it.each(['REQUIRED', 'SUPPORTS', 'MANDATORY', 'NESTED'] as const)(
    'is part of it with %s, with the statements of both pools',
    async (propagation) => {
      const { primary, replica, transactions } = servers.open();

      await transactions.run(async () => {
        await primary.query(WRITE);
        const outer = await askedBy(primary);
        await transactions.run({ ...ROUTED, propagation }, async () => {
          expect(await askedBy(primary)).toEqual(outer);
          expect(await askedBy(replica)).toEqual(outer);
          expect((await replica.query(COUNT)).rows).toEqual([{ n: 1 }]);
        });
        expect(await askedBy(replica)).toMatchObject({ at: 'standby' });
      });
      expect(await servers.entries()).toEqual([1]);
    },
  );

  it('begins one of its own on the replica with REQUIRES_NEW', async () => {
    const { primary, replica, transactions } = servers.open();

    await transactions.run(async () => {
      const outer = await askedBy(primary);
      await transactions.run({ ...ROUTED, propagation: 'REQUIRES_NEW' }, async () => {
        const inner = await askedBy(primary);
        expect(inner).toMatchObject({ at: 'standby', access: 'reads' });
        expect(await askedBy(replica)).toEqual(inner);
      });
      expect(await askedBy(primary)).toEqual(outer);
    });
  });

  it('leaves it aside with NOT_SUPPORTED, and refuses it with NEVER', async () => {
    const { primary, replica, transactions } = servers.open();

    await transactions.run(async () => {
      const outer = await askedBy(primary);
      await transactions.run({ ...ROUTED, propagation: 'NOT_SUPPORTED' }, async () => {
        const beside = await askedBy(primary);
        expect(beside).toMatchObject({ at: 'primary', access: 'writes' });
        expect(beside.on).not.toBe(outer.on);
        expect(await askedBy(replica)).toMatchObject({ at: 'standby' });
      });
      const never = transactions.run({ ...ROUTED, propagation: 'NEVER' }, () => 'ran');
      await expect(never).rejects.toMatchObject(ILLEGAL);
    });
  });
});

describe('a routed method inside a transaction of the replica pool alone', () => {
  it('is part of it, with the statements of both pools', async () => {
    const { primary, replica, transactions } = servers.open();

    await transactions.run({ pool: 'replica' }, async () => {
      const outer = await askedBy(replica);
      await transactions.run(ROUTED, async () => {
        expect(await askedBy(primary)).toEqual(outer);
        expect(await askedBy(replica)).toEqual(outer);
      });
      expect(await askedBy(primary)).toMatchObject({ at: 'primary' });
    });
  });
});

describe('a routed method outside of every transaction', () => {
  it.each(['SUPPORTS', 'NOT_SUPPORTED', 'NEVER'] as const)(
    'moves nothing with %s, which begins none',
    async (propagation) => {
      const { primary, replica, transactions } = servers.open();

      await transactions.run({ ...ROUTED, propagation }, async (tx) => {
        expect(tx).toBeUndefined();
        expect(currentTransaction()).toBeUndefined();
        expect(await askedBy(primary)).toMatchObject({ at: 'primary', access: 'writes' });
        expect(await askedBy(replica)).toMatchObject({ at: 'standby' });
      });
    },
  );

  it('is refused with MANDATORY', async () => {
    const { transactions } = servers.open();

    const run = transactions.run({ ...ROUTED, propagation: 'MANDATORY' }, () => 'ran');

    await expect(run).rejects.toMatchObject(ILLEGAL);
  });
});

describe.each([
  ['of the primary', {}],
  ['of the replica pool', { pool: 'replica' }],
  ['that is routed', ROUTED],
] as const)('inside a routed transaction a method %s', (_, inner) => {
  it.each(['REQUIRED', 'SUPPORTS', 'MANDATORY', 'NESTED'] as const)(
    'is part of it with %s, with the statements of both pools',
    async (propagation) => {
      const { primary, replica, transactions } = servers.open();

      await transactions.run(ROUTED, async () => {
        const outer = await askedBy(primary);
        expect(outer).toMatchObject({ at: 'standby', access: 'reads' });
        await transactions.run({ ...inner, propagation }, async (tx) => {
          expect(await askedBy(primary)).toEqual(outer);
          expect(await askedBy(replica)).toEqual(outer);
          expect(transactions.current()?.label).toBe(tx.label);
          expect(transactions.current('replica')?.label).toBe(tx.label);
        });
      });
      expect(replica.stats()).toMatchObject({ total: 1 });
    },
  );

  it('leaves it aside for both pools with NOT_SUPPORTED', async () => {
    const { primary, replica, transactions } = servers.open();

    await transactions.run(ROUTED, async () => {
      const outer = await askedBy(replica);
      await transactions.run({ ...inner, propagation: 'NOT_SUPPORTED' }, async () => {
        expect(await askedBy(primary)).toMatchObject({ at: 'primary', access: 'writes' });
        const beside = await askedBy(replica);
        expect(beside.at).toBe('standby');
        expect(beside.on).not.toBe(outer.on);
      });
      expect(await askedBy(primary)).toEqual(outer);
    });
  });

  it('is refused with NEVER', async () => {
    const { transactions } = servers.open();

    await transactions.run(ROUTED, async () => {
      const never = transactions.run({ ...inner, propagation: 'NEVER' }, () => 'ran');
      await expect(never).rejects.toMatchObject(ILLEGAL);
    });
  });
});

describe('inside a routed transaction', () => {
  it('one that writes begins on the primary with REQUIRES_NEW, and suspends all of it', async () => {
    const { primary, replica, transactions } = servers.open();

    await transactions.run(ROUTED, async () => {
      const outer = await askedBy(primary);
      await transactions.run({ propagation: 'REQUIRES_NEW' }, async () => {
        await primary.query(WRITE);
        expect(await askedBy(primary)).toMatchObject({ at: 'primary', access: 'writes' });
        const plain = await askedBy(replica);
        expect(plain.at).toBe('standby');
        expect(plain.on).not.toBe(outer.on);
        const read = await transactions.run(ROUTED, () => primary.query(COUNT));
        expect(read.rows).toEqual([{ n: 1 }]);
      });
      expect(await askedBy(replica)).toEqual(outer);
    });
    expect(await servers.entries()).toEqual([1]);
  });

  it('another routed one begins on the replica with REQUIRES_NEW', async () => {
    const { primary, replica, transactions } = servers.open();

    await transactions.run(ROUTED, async () => {
      const outer = await askedBy(primary);
      await transactions.run({ ...ROUTED, propagation: 'REQUIRES_NEW' }, async () => {
        const inner = await askedBy(primary);
        expect(inner).toMatchObject({ at: 'standby', access: 'reads' });
        expect(inner.on).not.toBe(outer.on);
        expect(await askedBy(replica)).toEqual(inner);
      });
      expect(await askedBy(primary)).toEqual(outer);
    });
  });

  it('one of the replica pool alone suspends all of it with REQUIRES_NEW', async () => {
    const { primary, replica, transactions } = servers.open();

    await transactions.run(ROUTED, async () => {
      const outer = await askedBy(primary);
      await transactions.run({ pool: 'replica', propagation: 'REQUIRES_NEW' }, async () => {
        const inner = await askedBy(replica);
        expect(inner.at).toBe('standby');
        expect(inner.on).not.toBe(outer.on);
        expect(await askedBy(primary)).toMatchObject({ at: 'primary', access: 'writes' });
      });
    });
  });

  it('one that wants to write is told so where it would join', async () => {
    const { primary, transactions } = servers.open();

    await transactions.run(ROUTED, async () => {
      await primary.query(COUNT);
      const run = transactions.run({ readOnly: false }, () => primary.query(WRITE));
      await expect(run).rejects.toThrow(/wants to write and finds READ ONLY/);
    });
  });

  it('a nested part that fails is undone alone', async () => {
    const { primary, replica, transactions } = servers.open();

    const seen = await transactions.run(ROUTED, async () => {
      await primary.query(COUNT);
      const nested = transactions.run({ ...ROUTED, propagation: 'NESTED' }, () =>
        replica.query('SELECT 1/0'),
      );
      await expect(nested).rejects.toMatchObject({ code: '22012' });
      return await askedBy(primary);
    });

    expect(seen.at).toBe('standby');
  });

  it('a nested part lets no statement of either pool past its savepoint', async () => {
    const { primary, replica, transactions } = servers.open();

    await transactions.run(ROUTED, async (outer) => {
      await primary.query(COUNT);
      await transactions.run({ propagation: 'NESTED' }, async () => {
        await replica.query(COUNT);
        await expect(outer.query(COUNT)).rejects.toMatchObject({
          code: 'POOL_NESTED_SCOPE_DEADLOCK',
        });
      });
    });
  });
});
