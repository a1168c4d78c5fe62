import { describe, expect, it } from '@jest/globals';
import { SeenTokens } from '../../../lib/routing/causal/seen-token.js';

const FIRST = 'the first of the secrets of this test';
const SECOND = 'the second of the secrets of this test';
const SEEN = { position: { timeline: 3, lsn: 0x1_2345_6789_abcdn }, primaryForMs: 0 };
const NOW = Date.UTC(2030, 0, 1);

const tokens = (...secrets: string[]) => new SeenTokens(secrets, 30_000);

describe('a token of what was seen', () => {
  it('says what it was issued for, until it expires', () => {
    const token = tokens(FIRST).issue(SEEN, NOW);

    expect(tokens(FIRST).read(token, NOW + 29_999)).toEqual(SEEN);
    expect(tokens(FIRST).read(token, NOW + 30_000)).toBeUndefined();
  });

  it('is a window where the position is not known, for as long as that lasts', () => {
    const token = tokens(FIRST).issue({ ...SEEN, primaryForMs: 2_000 }, NOW);

    expect(tokens(FIRST).read(token, NOW + 500)).toEqual({
      position: undefined,
      primaryForMs: 1_500,
    });
    expect(tokens(FIRST).read(token, NOW + 2_000)).toBeUndefined();
  });

  it('is signed with the first secret, and believed with any', () => {
    const token = tokens(FIRST, SECOND).issue(SEEN, NOW);

    expect(tokens(FIRST).read(token, NOW)).toEqual(SEEN);
    expect(tokens(SECOND, FIRST).read(token, NOW)).toEqual(SEEN);
    expect(tokens(SECOND).read(token, NOW)).toBeUndefined();
  });

  it('fits into a cookie as it is, and shows no secret', () => {
    const token = tokens(FIRST).issue(SEEN, NOW);

    expect(token).toMatch(/^[\w.-]{1,120}$/);
    expect(token).not.toContain(FIRST);
  });

  it('is none any more when any character of it is changed', () => {
    const token = tokens(FIRST).issue(SEEN, NOW);
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === 'A' ? 'B' : 'A';
      const forged = token.slice(0, at) + other + token.slice(at + 1);
      expect(tokens(FIRST).read(forged, NOW)).toBeUndefined();
    }
  });

  it.each([undefined, null, 7, {}, [], '', '.', '....', 'a'.repeat(10_000)])(
    'is not %p',
    (garbage) => {
      expect(tokens(FIRST).read(garbage, NOW)).toBeUndefined();
    },
  );
});
