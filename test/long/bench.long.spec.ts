import { beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../package/run-command.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LOADER = './test/support/typescript-loader/register.js';
/** The peers are installed, and more than a hundred processes measure one after the other. */
const MEASURED_WITHIN_MS = 600_000;

type Figures = Readonly<Record<string, number | null>>;
type Rounds = readonly Figures[];

interface Results {
  readonly ground: { readonly versions: Readonly<Record<string, string>> };
  readonly scenarios: Readonly<Record<string, Readonly<Record<string, Record<string, Rounds>>>>>;
}

/** Whether the benchmarks run; how fast anything is, is not for a test to judge. */
describe('npm run bench', () => {
  let printed: string;
  let results: Results;

  beforeAll(async () => {
    await runCommand('npm', ['ci', '--prefix', 'bench', '--no-audit', '--no-fund'], { cwd: ROOT });
    printed = await runCommand('node', ['--import', LOADER, 'bench/main.mjs', '--quick'], {
      cwd: ROOT,
    });
    results = JSON.parse(await readFile(`${ROOT}bench/results.json`, 'utf8')) as Results;
  }, MEASURED_WITHIN_MS);

  it('measures every peer in every case of every scenario', () => {
    expect(Object.keys(results.scenarios)).toEqual([
      'checkout',
      'select',
      'spike',
      'cold-fill',
      'observed',
      'memory',
      'transaction',
      'lazy',
      'batch',
      'pool-size',
      'replicas',
    ]);
    for (const { at, rounds } of measurements(results)) {
      expect({ at, rounds: rounds.length }).toEqual({ at, rounds: 1 });
    }
  });

  it('has a finite figure for all that it measured', () => {
    for (const { at, rounds } of measurements(results)) {
      for (const [metric, figure] of Object.entries(rounds[0] ?? {})) {
        expect({ at, metric, isFinite: Number.isFinite(figure) }).toEqual({
          at,
          metric,
          isFinite: true,
        });
      }
    }
  });

  it('prints a table for each scenario, and what it was measured on', () => {
    for (const name of Object.keys(results.scenarios)) {
      expect(printed).toMatch(new RegExp(`^## ${name}\\n\\n\\|`, 'm'));
    }
    expect(printed).toContain(`Node.js ${process.versions.node}`);
  });

  it('runs transactions by every peer, near and far, and has a batch of ours', () => {
    const { transaction, lazy, batch } = results.scenarios;
    const peers = ['nestjs-pools', 'hand-written pg', 'postgres.js'];
    const libraries = ['knex', 'drizzle', 'typeorm-transactional', '@nestjs-cls/transactional'];

    for (const cases of [transaction, lazy]) {
      for (const byPeer of Object.values(cases ?? {})) {
        expect(Object.keys(byPeer)).toEqual([...peers, ...libraries]);
      }
    }
    expect(Object.keys(transaction ?? {})).toHaveLength(6);
    expect(Object.values(batch ?? {}).map((byPeer) => Object.keys(byPeer))).toEqual([peers, peers]);
  });

  it('refuses a scenario that does not exist, and names those that do', async () => {
    const args = ['--import', LOADER, 'bench/main.mjs', '--scenario', 'selects'];

    await expect(runCommand('node', args, { cwd: ROOT })).rejects.toThrow(
      /no scenario 'selects'; there are: checkout, select,/,
    );
  });
});

function measurements({ scenarios }: Results): { at: string; rounds: Rounds }[] {
  return Object.entries(scenarios).flatMap(([scenario, cases]) =>
    Object.entries(cases).flatMap(([name, byPeer]) =>
      Object.entries(byPeer).map(([peer, rounds]) => ({
        at: `${scenario}, ${name}, ${peer}`,
        rounds,
      })),
    ),
  );
}
