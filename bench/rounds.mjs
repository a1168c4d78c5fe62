import { runChild } from './run-child.mjs';

/**
 * Takes every scenario once a round, and within it the peers in turn, each in a process of its own:
 * what disturbs the machine for a while disturbs neighbours alike. Ratios are then taken within a
 * round only.
 */
export async function runRounds(scenarios, { database, rounds, quick }) {
  const measured = Object.fromEntries(scenarios.map(({ name }) => [name, {}]));
  const context = { ...database.urls, quick };
  for (let round = 0; round < rounds; round += 1) {
    for (const scenario of scenarios) {
      if (round >= (scenario.mostRounds ?? Infinity)) continue;
      for (const step of stepsOf(scenario, round)) {
        process.stderr.write(
          `round ${round + 1}/${rounds} | ${scenario.name} | ${step.case} | ${step.peer}\n`,
        );
        const figures = await runChild(scenario, step, context);
        ((measured[scenario.name][step.case] ??= {})[step.peer] ??= [])[round] = figures;
      }
    }
  }
  return inDeclaredOrder(scenarios, measured);
}

/** Whoever goes first differs from round to round, so that no peer always follows the same one. */
function stepsOf(scenario, round) {
  return Object.entries(scenario.cases).flatMap(([name, { peers }]) => {
    const first = round % peers.length;
    const turn = [...peers.slice(first), ...peers.slice(0, first)];
    return turn.map((peer) => ({ case: name, peer }));
  });
}

function inDeclaredOrder(scenarios, measured) {
  return Object.fromEntries(
    scenarios.map(({ name, cases }) => [
      name,
      Object.fromEntries(
        Object.entries(cases).map(([key, { peers }]) => [
          key,
          Object.fromEntries(peers.map((peer) => [peer, measured[name][key][peer]])),
        ]),
      ),
    ]),
  );
}
