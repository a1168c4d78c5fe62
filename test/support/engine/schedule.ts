import * as fc from 'fast-check';
import type { Lane } from '../../../lib/engine/acquire-request.js';
import type { LastUse, Suspicion } from '../../../lib/engine/driver.js';
import type { EngineOptions } from '../../../lib/engine/engine-options.js';
import type { Throwing } from './fake-driver.js';

/** What a caller acquires for: nothing known, a scope of its own, or one inside another's. */
export type Scoping = 'none' | 'own' | 'nested';

/** What a caller does in the very callback that serves it. */
export type Reaction =
  'hold' | 'release' | 'release with error' | 'ask again' | 'nest' | 'abort another' | 'evict';

/** How the fake other side behaves from now on. */
export interface ServerMood {
  readonly openMs: number;
  readonly checkMs: number;
  readonly recycleMs: number;
  readonly closeMs: number;
  readonly opens: 'well' | 'failing' | 'failing for good' | 'silent' | 'although given up';
  readonly destroyIsSilent: boolean;
  readonly throwing: readonly Throwing[];
}

/** One thing that happens. `who` picks one of those that there are, wrapping around. */
export type Step =
  | {
      readonly do: 'ask';
      lane: Lane;
      timeoutMs: number;
      scoping: Scoping;
      who: number;
      reaction: Reaction;
    }
  | { readonly do: 'release'; who: number; withError: boolean }
  | { readonly do: 'release twice'; who: number }
  | { readonly do: 'lose the handle'; who: number; lastUse: LastUse }
  | { readonly do: 'abort'; who: number }
  | { readonly do: 'die'; who: number; suspicion: Suspicion }
  | { readonly do: 'spoil'; who: number; how: 'isAlive' | 'isSilent' | 'isDirty' }
  | { readonly do: 'change the server'; mood: ServerMood }
  | { readonly do: 'let time pass'; ms: number }
  | { readonly do: 'block the loop'; ms: number }
  | { readonly do: 'resize'; min: number; max: number }
  | { readonly do: 'ping'; limitMs: number }
  | { readonly do: 'turn away' }
  | { readonly do: 'start' | 'suspend' | 'resume' | 'softEvict' | 'reconsider' };

/** A pool's whole life: how it is set up, what happens to it, and how it is ended. */
export interface Schedule {
  readonly options: Partial<EngineOptions>;
  readonly seed: number;
  readonly steps: readonly Step[];
  readonly drainMs: number;
}

const who = fc.nat(20);
const ms = fc.oneof(fc.nat(20), fc.nat(500), fc.nat(5_000));

const mood: fc.Arbitrary<ServerMood> = fc.record({
  openMs: fc.nat(200),
  checkMs: fc.nat(50),
  recycleMs: fc.nat(50),
  closeMs: fc.nat(100),
  opens: fc.oneof(
    { weight: 6, arbitrary: fc.constant('well' as const) },
    {
      weight: 3,
      arbitrary: fc.constantFrom<ServerMood['opens'][]>(
        'failing',
        'failing for good',
        'silent',
        'although given up',
      ),
    },
  ),
  destroyIsSilent: fc.boolean(),
  throwing: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.subarray<Throwing>([
        'open',
        'check',
        'recycle',
        'close',
        'destroy',
        'lastUseOf',
      ]),
    },
  ),
});

const ask: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('ask' as const),
  lane: fc.constantFrom<Lane[]>('normal', 'normal', 'high'),
  timeoutMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 600 })),
  scoping: fc.constantFrom<Scoping[]>('none', 'own', 'nested'),
  who,
  reaction: fc.constantFrom<Reaction[]>(
    'hold',
    'hold',
    'hold',
    'release',
    'release with error',
    'ask again',
    'nest',
    'abort another',
    'evict',
  ),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: ask },
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('release' as const),
      who,
      withError: fc.integer({ min: 0, max: 5 }).map((draw) => draw === 0),
    }),
  },
  { weight: 20, arbitrary: fc.record({ do: fc.constant('let time pass' as const), ms }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('block the loop' as const), ms }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release twice' as const), who }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('lose the handle' as const),
      who,
      lastUse: fc.constantFrom<LastUse[]>('nothing', 'nothing', 'work', 'a listener'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('abort' as const), who }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('die' as const),
      who,
      suspicion: fc.constantFrom<Suspicion[]>('trust others', 'suspect others', 'evict others'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('spoil' as const),
      who,
      how: fc.constantFrom('isAlive' as const, 'isSilent' as const, 'isDirty' as const),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('change the server' as const), mood }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('resize' as const),
      min: fc.nat(3),
      max: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('ping' as const), limitMs: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('turn away' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'start' as const,
        'suspend' as const,
        'resume' as const,
        'resume' as const,
        'softEvict' as const,
        'reconsider' as const,
      ),
    }),
  },
);

const options: fc.Arbitrary<Partial<EngineOptions>> = fc.record({
  max: fc.integer({ min: 1, max: 6 }),
  min: fc.nat(4),
  maxWaiting: fc.constantFrom(0, 0, 5),
  maxConnecting: fc.integer({ min: 1, max: 3 }),
  maxUses: fc.constantFrom(0, 0, 3),
  idleTimeoutMs: fc.constantFrom(0, 500),
  maxLifetimeMs: fc.constantFrom(0, 1_000),
  keepaliveMs: fc.constantFrom(0, 300),
  leakThresholdMs: fc.constantFrom(0, 200),
  reclaimAfterMs: fc.constantFrom(0, 0, 1_000),
  validationBypassMs: fc.constantFrom(0, 100, 60_000),
  validationTimeoutMs: fc.constant(100),
  resetTimeoutMs: fc.constant(100),
  closeTimeoutMs: fc.constant(100),
  connectTimeoutMs: fc.constant(400),
  idleOrder: fc.constantFrom('lifo' as const, 'fifo' as const),
  onConnectError: fc.constantFrom('retry' as const, 'retry' as const, 'reject' as const),
  drainWaiters: fc.constantFrom('serve' as const, 'refuse' as const),
  allowExitOnIdle: fc.boolean(),
});

export const schedule: fc.Arbitrary<Schedule> = fc.record({
  options,
  seed: fc.integer(),
  steps: fc.array(step, { minLength: 5, maxLength: 80, size: 'max' }),
  drainMs: fc.oneof(fc.constant(0), fc.nat(1_000)),
});
