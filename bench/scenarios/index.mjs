import { batch } from './batch.mjs';
import { checkout } from './checkout.mjs';
import { coldFill } from './cold-fill.mjs';
import { lazy } from './lazy.mjs';
import { memory } from './memory.mjs';
import { observed } from './observed.mjs';
import { pointSelect } from './point-select.mjs';
import { poolSize } from './pool-size.mjs';
import { replicas } from './replicas.mjs';
import { spike } from './spike.mjs';
import { transaction } from './transaction.mjs';

/**
 * What is measured. A scenario has cases, each with its peers and settings; `measure` runs in a
 * process of its own and returns one figure for each of the scenario's metrics. Ratios are taken to
 * `base`.
 */
export const SCENARIOS = Object.fromEntries(
  [
    checkout,
    pointSelect,
    spike,
    coldFill,
    observed,
    memory,
    transaction,
    lazy,
    batch,
    poolSize,
    replicas,
  ].map((scenario) => [scenario.name, scenario]),
);
