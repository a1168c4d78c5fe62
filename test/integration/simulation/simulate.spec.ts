import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PROGRAM = fileURLToPath(new URL('../../../bench/simulation/main.mjs', import.meta.url));
const run = promisify(execFile);

interface Figures {
  readonly simulated: boolean;
  readonly clientConnections: number;
  readonly clientsPerPooler: number;
  readonly serverConnections: number;
  readonly formula: number;
  readonly utilization: number;
  readonly mostRunning: number;
  readonly waitAtInstance: { readonly p99Ms: number };
  readonly waitAtPooler: { readonly p99Ms: number };
  readonly wholeStatement: { readonly p50Ms: number; readonly meanMs: number };
}

async function simulated(...options: string[]): Promise<Figures> {
  const { stdout } = await run('node', [PROGRAM, '--json', ...options]);
  return JSON.parse(stdout) as Figures;
}

describe('npm run simulate', () => {
  it('agrees with queueing theory where that has an answer', async () => {
    // M/M/1 at half load: 1 / (1 - 0.5) ms on average, and ln 2 of that in the middle.
    const single = ['--instances', '1', '--max', '1', '--poolers', '0', '--cores', '1'];

    const figures = await simulated(...single, '--rate', '500', '--seconds', '400');

    expect(figures.utilization).toBeCloseTo(0.5, 1);
    expect(figures.wholeStatement.meanMs).toBeCloseTo(2, 0);
    expect(figures.wholeStatement.p50Ms).toBeCloseTo(2 * Math.LN2, 0);
    expect(figures.mostRunning).toBe(1);
  });

  it('reckons the connections of 10,000 instances behind poolers', async () => {
    const figures = await simulated('--seconds', '1');

    expect(figures).toMatchObject({
      simulated: true,
      clientConnections: 20_000,
      clientsPerPooler: 2_500,
      serverConnections: 128,
      formula: 129,
    });
    expect(figures.mostRunning).toBeLessThanOrEqual(128);
  });

  it('waits at the pooler where that has too few connections', async () => {
    const enough = await simulated('--seconds', '1');
    const tooFew = await simulated('--seconds', '1', '--server-connections', '4');

    expect(tooFew.waitAtPooler.p99Ms).toBeGreaterThan(5 * (enough.waitAtPooler.p99Ms + 0.1));
    expect(tooFew.mostRunning).toBe(32);
  });

  it('simulates nothing where the server would refuse connections', async () => {
    const figures = await simulated('--instances', '20', '--max', '20', '--poolers', '0');

    expect(figures).toMatchObject({ simulated: false, serverConnections: 400 });
  });

  it.each([
    ['--instancs', '3', "Unknown option '--instancs'"],
    ['--cores', 'many', '--cores must be a number above 0'],
    ['--poolers', '0.5', '--poolers must be a whole number'],
    ['--instances', '0', '--instances must be a number above 0'],
  ])('refuses %s %s', async (option, value, message) => {
    await expect(run('node', [PROGRAM, option, value])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    });
  });
});
