import { describe, expect, it } from '@jest/globals';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { freePort, isPortFree } from '../../support/free-port.js';

describe('eventually()', () => {
  it('asks until the answer is not false, and returns it', async () => {
    let asked = 0;

    expect(await eventually(() => ++asked === 3 && 'done', { intervalMs: 1 })).toBe('done');
  });

  it('outlives failing assertions and throws the last one after the time limit', async () => {
    let asked = 0;
    const assertion = (): void => {
      asked++;
      expect('cold').toBe('warm');
    };

    await expect(eventually(assertion, { timeoutMs: 30, intervalMs: 1 })).rejects.toThrow(/warm/);
    expect(asked).toBeGreaterThan(1);
  });
});

describe('freePort()', () => {
  it('names a port on which one can listen, below those of outgoing connections', async () => {
    const port = await freePort();
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');

    expect(port).toBeLessThan(32_768);
    expect(await isPortFree(port)).toBe(false);
    server.close();
  });
});

describe('deferred()', () => {
  it('is settled from outside', async () => {
    const good = deferred<string>();
    const bad = deferred();

    good.resolve('yes');
    bad.reject(new Error('no'));

    await expect(good.promise).resolves.toBe('yes');
    await expect(bad.promise).rejects.toThrow('no');
  });
});
