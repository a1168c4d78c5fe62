import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from '@jest/globals';
import { inCallersContext } from '../../../lib/engine/callers-context.js';

describe("a callback that is bound to the caller's context", () => {
  it('runs in it, with what it is given, whoever calls', () => {
    const request = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const bound = request.run('mine', () =>
      inCallersContext((...given: number[]) => seen.push(request.getStore(), ...given)),
    );
    request.run("another's", () => bound(1, 2));
    expect(seen).toEqual(['mine', 1, 2]);
  });
});
