import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Seen } from './causal-context.js';

const VERSION = '1';
/** Stands in the place of a position that is not known. */
const UNKNOWN = '-';
const PAYLOAD =
  /^1\.(?:-\.-|(?<timeline>[\da-f]{1,8})\.(?<lsn>[\da-f]{1,16}))\.(?<expiry>[\da-z]{1,10})$/;
/** Longer than any of ours; whatever is longer is not even looked at. */
const LONGEST = 200;

/**
 * Carries what was seen to the next request, whichever instance gets it: version, timeline, place in
 * the log and expiry, signed. It tells nothing that is secret, and moves nothing unless it was
 * signed here.
 */
export class SeenTokens {
  readonly #secrets: readonly string[];

  /** @param secrets signs with the first, and believes all of them */
  constructor(
    secrets: readonly string[],
    private readonly maxAgeMs: number,
  ) {
    this.#secrets = secrets;
  }

  issue({ position, primaryForMs }: Seen, now = Date.now()): string {
    const isKnown = position !== undefined && primaryForMs === 0;
    const place = isKnown
      ? [position.timeline.toString(16), position.lsn.toString(16)]
      : [UNKNOWN, UNKNOWN];
    const expiresAt = now + (isKnown ? this.maxAgeMs : Math.min(primaryForMs, this.maxAgeMs));
    const payload = [VERSION, ...place, Math.ceil(expiresAt).toString(36)].join('.');
    return `${payload}.${signatureOf(payload, this.#secrets[0]!)}`;
  }

  /** What a token says; undefined for one that is none of ours, or has expired. */
  read(token: unknown, now = Date.now()): Seen | undefined {
    if (typeof token !== 'string' || token.length > LONGEST) return undefined;
    const end = token.lastIndexOf('.');
    const payload = token.slice(0, end);
    if (end < 0 || !this.#isOurs(payload, token.slice(end + 1))) return undefined;
    const { timeline, lsn, expiry } = PAYLOAD.exec(payload)?.groups ?? {};
    const leftMs = expiry === undefined ? 0 : Number.parseInt(expiry, 36) - now;
    if (leftMs <= 0) return undefined;
    if (timeline === undefined) return { position: undefined, primaryForMs: leftMs };
    const position = { timeline: Number.parseInt(timeline, 16), lsn: BigInt(`0x${lsn}`) };
    return { position, primaryForMs: 0 };
  }

  /** Every secret is tried, and every comparison takes the same time. */
  #isOurs(payload: string, signature: string): boolean {
    const given = Buffer.from(signature);
    const matches = this.#secrets.map((secret) => {
      const expected = Buffer.from(signatureOf(payload, secret));
      return expected.length === given.length && timingSafeEqual(expected, given);
    });
    return matches.includes(true);
  }
}

function signatureOf(payload: string, secret: string): string {
  return createHmac('sha256', secret).update(payload).digest('base64url');
}
