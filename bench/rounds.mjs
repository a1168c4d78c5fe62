import { runChild } from './run-child.mjs';
import { inOrderOf, takeTurns } from './take-turns.mjs';

/**
 * Takes every scenario once a round, and within it the peers in turn, each in a process of its own:
 * what disturbs the machine for a while disturbs neighbours alike. Ratios are then taken within a
 * round only. Peers that differ by little take shorter turns.
 */
export async function runRounds(scenarios, { database, rounds, quick }) {
  const measured = Object.fromEntries(scenarios.map(({ name }) => [name, {}]));
  const context = { ...database.urls, quick };
  const inTurns = scenarios.filter((scenario) => scenario.inTurns);
  const inRounds = scenarios.filter((scenario) => !scenario.inTurns);
  const roundsOf = ({ mostRounds = rounds }) => Math.min(rounds, mostRounds);
  for (const scenario of inTurns) {
    for (const [name, parts] of Object.entries(scenario.cases)) {
      process.stderr.write(`in turns | ${scenario.name} | ${name}\n`);
      measured[scenario.name][name] = await takeTurns(
        scenario,
        name,
        parts,
        context,
        roundsOf(scenario),
      );
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const scenario of inRounds) {
      if (round >= roundsOf(scenario)) continue;
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

function stepsOf(scenario, round) {
  return Object.entries(scenario.cases).flatMap(([name, { peers }]) =>
    inOrderOf(round, peers).map((peer) => ({ case: name, peer })),
  );
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
