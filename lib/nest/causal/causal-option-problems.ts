import { nearestName } from '../../postgres/options/nearest-name.js';
import type { CausalOptions, CausalTokenOptions } from './causal-options.js';

export const CAUSAL_OPTIONS = ['causal', 'causalWindowMs', 'causalToken'] as const;

interface Problem {
  readonly option: string;
  readonly message: string;
}

const MODES: ReadonlySet<unknown> = new Set(['lsn', 'window', 'off']);
const LEAST_SECRET = 32;
const LEAST_AGE_MS = 1_000;
const TOKEN_OPTIONS = ['secret', 'cookie', 'header', 'maxAgeMs'];

/** As HTTP allows the name of a header and of a cookie. */
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/** What is wrong with the options about reading one's own writes. */
export function causalProblems(options: CausalOptions): Problem[] {
  const { causal, causalWindowMs, causalToken } = options;
  return [
    ...unless(causal === undefined || MODES.has(causal), 'causal', "'lsn', 'window' or 'off'"),
    ...unless(isDuration(causalWindowMs, 1), 'causalWindowMs', 'a whole number, at least 1'),
    ...(causalToken === undefined ? [] : tokenProblems(causalToken, causal)),
  ];
}

function tokenProblems(token: unknown, causal: CausalOptions['causal']): Problem[] {
  if (typeof token !== 'object' || token === null) {
    return unless(false, 'causalToken', 'an object, as { secret: process.env.CAUSAL_SECRET }');
  }
  const { secret, cookie, header, maxAgeMs } = token as CausalTokenOptions;
  const isName = (name: unknown) =>
    name === undefined || name === false || (typeof name === 'string' && NAME.test(name));
  const unknown = Object.keys(token).filter((name) => !TOKEN_OPTIONS.includes(name));
  return [
    ...unless(causal !== 'off', 'causalToken', "left out with causal: 'off'"),
    ...unless(isSecret(secret), 'causalToken.secret', secretRule()),
    ...unless(isName(cookie), 'causalToken.cookie', 'the name of a cookie, or false'),
    ...unless(isName(header), 'causalToken.header', 'the name of a header, or false'),
    ...unless(
      cookie !== false || header !== false,
      'causalToken',
      'left out where there is neither a cookie nor a header',
    ),
    ...unless(
      isDuration(maxAgeMs, LEAST_AGE_MS),
      'causalToken.maxAgeMs',
      `a whole number, at least ${LEAST_AGE_MS}`,
    ),
    ...unknown.flatMap((name) =>
      unless(
        false,
        `causalToken.${name}`,
        `written as ${nearestName(name, TOKEN_OPTIONS) ?? TOKEN_OPTIONS.join(' or ')}`,
      ),
    ),
  ];
}

function secretRule(): string {
  return `a text of at least ${LEAST_SECRET} characters, or a list of such: without a secret anybody could sign`;
}

function isSecret(secret: unknown): boolean {
  const all = [secret].flat();
  const isLong = (one: unknown) => typeof one === 'string' && one.length >= LEAST_SECRET;
  return all.length > 0 && all.every(isLong);
}

function isDuration(value: unknown, least: number): boolean {
  return value === undefined || (Number.isSafeInteger(value) && Number(value) >= least);
}

/** Never what the value is: it may be a secret. */
function unless(isRight: boolean, option: string, rule: string): Problem[] {
  return isRight ? [] : [{ option, message: `${option} must be ${rule}` }];
}
