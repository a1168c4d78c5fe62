import { once } from 'node:events';
import { figuresOf, startChild } from './run-child.mjs';

const TURN_SECONDS = 0.5;
const QUICK_TURN_SECONDS = 0.2;
const WARM_UP_TURNS = 10;
const TURNS_A_ROUND = 8;
const LIMIT_MS = 30 * 60_000;

/**
 * Measures the peers of a case in processes that stand side by side, of which one works at a time,
 * for half a second: where peers differ by less than the machine does from one minute to the next,
 * only neighbours in time can be compared. Each round has processes of its own, since two of the same
 * peer differ by some percent for as long as they live. Resolves with the figures of each peer, turn
 * by turn.
 */
export async function takeTurns(scenario, caseName, { peers }, context, rounds) {
  const figures = Object.fromEntries(peers.map((peer) => [peer, []]));
  for (let round = 0; round < rounds; round += 1) {
    const taken = await oneRound(scenario, caseName, inOrderOf(round, peers), context);
    for (const [peer, its] of Object.entries(taken)) figures[peer].push(...its);
  }
  return figures;
}

async function oneRound(scenario, caseName, peers, context) {
  const { quick } = context;
  const steps = peers.map((peer) => ({ case: caseName, peer }));
  const children = steps.map((step) => startChild(scenario, step, context, LIMIT_MS));
  const over = Promise.all(
    children.map((child, index) => figuresOf(child, scenario, steps[index])),
  );
  // One that fails ends it for all, whoever's turn it is.
  const heardOf = (child) => Promise.race([once(child, 'message'), over]);
  try {
    await Promise.all(children.map(heardOf));
    const warmUp = quick ? 1 : WARM_UP_TURNS;
    const turns = warmUp + (quick ? 1 : TURNS_A_ROUND);
    const seconds = quick ? QUICK_TURN_SECONDS : TURN_SECONDS;
    for (let turn = 0; turn < turns; turn += 1) {
      for (const child of inOrderOf(turn, children)) {
        child.send({ seconds, counts: turn >= warmUp });
        await heardOf(child);
      }
    }
    for (const child of children) child.send({});
    const figures = await over;
    return Object.fromEntries(peers.map((peer, index) => [peer, figures[index]]));
  } finally {
    for (const child of children) child.kill();
  }
}

/** Whoever goes first differs from turn to turn, so that no peer always follows the same one. */
export function inOrderOf(turn, peers) {
  const first = turn % peers.length;
  return [...peers.slice(first), ...peers.slice(0, first)];
}
