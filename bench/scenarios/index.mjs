import { checkout } from './checkout.mjs';
import { coldFill } from './cold-fill.mjs';
import { memory } from './memory.mjs';
import { observed } from './observed.mjs';
import { pointSelect } from './point-select.mjs';
import { poolSize } from './pool-size.mjs';
import { spike } from './spike.mjs';

/**
 * What is measured. A scenario has cases, each with its peers and settings; `measure` runs in a
 * process of its own and returns one figure for each of the scenario's metrics. Ratios are taken to
 * `base`.
 */
export const SCENARIOS = Object.fromEntries(
  [checkout, pointSelect, spike, coldFill, observed, memory, poolSize].map((scenario) => [
    scenario.name,
    scenario,
  ]),
);
