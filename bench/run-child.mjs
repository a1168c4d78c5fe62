import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const CHILD = fileURLToPath(new URL('./child.mjs', import.meta.url));
const LIMIT_MS = 120_000;

/** Measures one peer once. Resolves with its figures. */
export function runChild(scenario, step, context) {
  return figuresOf(startChild(scenario, step, context, LIMIT_MS), scenario, step);
}

/** Starts the process of one peer; it can be told things. */
export function startChild(scenario, step, context, limitMs) {
  const task = JSON.stringify({ scenario: scenario.name, ...step, context });
  return spawn(process.execPath, [...(scenario.nodeOptions ?? []), CHILD, task], {
    env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
}

/** What the process of a peer says in the end. */
export async function figuresOf(child, scenario, step) {
  const [answer, [code, signal]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) {
    const who = `${scenario.name}, ${step.case}, ${step.peer}`;
    throw new Error(`the measurement of ${who} ended with ${code ?? signal}`);
  }
  return JSON.parse(answer);
}
