import { once } from 'node:events';
import { figuresOf, startChild } from './run-child.mjs';

const TURN_SECONDS = 1;
const QUICK_TURN_SECONDS = 0.2;
const WARM_UP_TURNS = 6;
const TURNS_A_ROUND = 5;
const LIMIT_MS = 30 * 60_000;

/**
 * Measures the peers of a case in processes that stand side by side, of which one works at a time,
 * for a second: where peers differ by less than the machine does from one minute to the next, only
 * neighbours in time can be compared. Resolves with the figures of each peer, turn by turn.
 */
export async function takeTurns(scenario, caseName, { peers }, context, rounds) {
  const { quick } = context;
  const players = peers.map((peer) => player(scenario, { case: caseName, peer }, context));
  try {
    for (const { heard } of players) await heard();
    const warmUp = quick ? 1 : WARM_UP_TURNS;
    const turns = warmUp + rounds * (quick ? 1 : TURNS_A_ROUND);
    const seconds = quick ? QUICK_TURN_SECONDS : TURN_SECONDS;
    for (let turn = 0; turn < turns; turn += 1) {
      for (const { child, heard } of inOrderOf(turn, players)) {
        child.send({ seconds, counts: turn >= warmUp });
        await heard();
      }
    }
    for (const { child } of players) child.send({});
    const figures = await Promise.all(players.map(({ answer }) => answer));
    return Object.fromEntries(peers.map((peer, index) => [peer, figures[index]]));
  } finally {
    for (const { child } of players) child.kill();
  }
}

function player(scenario, step, context) {
  const child = startChild(scenario, step, context, LIMIT_MS);
  const answer = figuresOf(child, scenario, step);
  // One that ends before its time is heard of as well.
  const heard = () => Promise.race([once(child, 'message'), answer]);
  return { child, answer, heard };
}

/** Whoever goes first differs from turn to turn, so that no peer always follows the same one. */
export function inOrderOf(turn, peers) {
  const first = turn % peers.length;
  return [...peers.slice(first), ...peers.slice(0, first)];
}
