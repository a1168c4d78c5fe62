import type { OptionName } from './option-table.js';
import type { PoolOptions } from './pool-options.js';

/** A set of defaults for a kind of program; options that are given win over it. */
export type PoolPreset = 'serverless' | 'script';

type Defaults = Readonly<Partial<Record<OptionName, unknown>>>;

/** What neither waits for work nor serves requests beside each other. */
const SHORT_LIVED: Defaults = { min: 0, startup: 'lazy', allowExitOnIdle: true };

const PRESETS: Readonly<Record<PoolPreset, Defaults>> = {
  serverless: {
    ...SHORT_LIVED,
    max: 1,
    keepaliveMs: 0,
    // Frozen, a process may miss how long it slept, and with it how old the last sign of life is.
    validationBypassMs: 0,
  },
  script: {
    ...SHORT_LIVED,
    max: 4,
    // A batch may take its time, and keep its connection all along.
    statementTimeoutMs: 0,
    leakThresholdMs: 0,
  },
};

export const PRESET_NAMES = Object.keys(PRESETS);

/** The default that the preset of these options has for an option; undefined where it has none. */
export function presetDefault({ preset }: PoolOptions, name: OptionName): unknown {
  return isPreset(preset) ? PRESETS[preset][name] : undefined;
}

/** What is no preset is told as every wrong value is. */
function isPreset(value: unknown): value is PoolPreset {
  return typeof value === 'string' && Object.hasOwn(PRESETS, value);
}
