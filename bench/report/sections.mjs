import { SCENARIOS } from '../scenarios/index.mjs';
import { poolSizeTable } from './pool-size-table.mjs';
import { scenarioTable } from './scenario-table.mjs';
import { slowerThanAPeer } from './slower-than-a-peer.mjs';

/** What was measured, as Markdown: by the name of its place on the page. */
export function sectionsOf({ ground, scenarios }) {
  return {
    ground: groundText(ground),
    slower: slowerThanAPeer(scenarios),
    ...Object.fromEntries(
      Object.entries(scenarios).map(([name, cases]) => [
        name,
        name === 'pool-size' ? poolSizeTable(cases) : scenarioTable(SCENARIOS[name], cases),
      ]),
    ),
  };
}

function groundText({ cores, processor, memoryGiB, platform, versions }) {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return (
    `Machine: ${cores} cores (${processor}), ${memoryGiB} GiB, ${platform}; client, server and` +
    ` proxy share it. ${named.join(', ')}.`
  );
}
