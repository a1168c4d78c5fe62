import { describe, expect, it } from '@jest/globals';
import { type Candidate, strategyOf } from '../../../lib/routing/strategy.js';

interface Host extends Candidate {
  readonly name: string;
}

const host = (name: string, load = 0): Host => ({ name, load });

function choices(strategy: ReturnType<typeof strategyOf>, hosts: readonly Host[], count: number) {
  return Array.from({ length: count }, () => {
    const { name } = strategy.choose(hosts);
    strategy.taken();
    return name;
  });
}

describe('the strategy least-busy', () => {
  it('chooses the replica with the least load', () => {
    const hosts = [host('a', 0.5), host('b', 0.2), host('c', 0.9)];

    expect(choices(strategyOf('least-busy'), hosts, 3)).toEqual(['b', 'b', 'b']);
  });

  it('takes turns among those that are equally busy', () => {
    const hosts = [host('a', 0.5), host('b'), host('c')];
    const chosen = choices(strategyOf('least-busy'), hosts, 30);

    expect(new Set(chosen)).toEqual(new Set(['b', 'c']));
    expect(choices(strategyOf('least-busy'), [host('a'), host('b')], 4)).toEqual([
      'a',
      'b',
      'a',
      'b',
    ]);
  });

  it('chooses among one', () => {
    expect(choices(strategyOf('least-busy'), [host('a', 2)], 2)).toEqual(['a', 'a']);
  });
});

describe('the strategy round-robin', () => {
  it('takes turns, whatever the load', () => {
    const hosts = [host('a', 1), host('b'), host('c')];

    expect(choices(strategyOf('round-robin'), hosts, 4)).toEqual(['a', 'b', 'c', 'a']);
  });

  it('gives nobody a turn before the choice was taken', () => {
    const strategy = strategyOf('round-robin');
    const hosts = [host('a'), host('b')];

    expect([strategy.choose(hosts).name, strategy.choose(hosts).name]).toEqual(['a', 'a']);
    strategy.taken();
    expect(strategy.choose(hosts).name).toBe('b');
  });

  it('goes on when one of them is gone', () => {
    const strategy = strategyOf('round-robin');
    choices(strategy, [host('a'), host('b'), host('c')], 2);

    expect(choices(strategy, [host('a'), host('b')], 2)).toEqual(['a', 'b']);
  });
});

describe('the strategy random', () => {
  it('chooses by lot', () => {
    const draws = [0, 0.34, 0.67, 0.999];
    const strategy = strategyOf('random', () => draws.shift()!);

    expect(choices(strategy, [host('a'), host('b'), host('c')], 4)).toEqual(['a', 'b', 'c', 'c']);
  });
});
