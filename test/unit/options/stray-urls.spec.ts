import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { Pool, PoolModule, UnknownPoolError } from '../../../lib/index.js';
import { healthSettings } from '../../../lib/health/health-settings.js';
import { moduleOptionProblems } from '../../../lib/nest/definition/module-option-problems.js';
import { refusalOf, standalone, strictly } from './strictly.js';

const PASSWORD = 'hunter2';
const URL_OF_OURS = `postgres://app:${PASSWORD}@db.internal/orders`;

/** Everything that a log could show of it. */
const shown = (what: unknown) => inspect(what, { depth: 10, showHidden: true });

/** @param action what has to be refused */
const refused = (action: () => unknown) => shown(refusalOf(action));

describe('a connection string in the place of a name', () => {
  it('of an option is refused, or ignored, without its password', () => {
    const options = { [URL_OF_OURS]: 1 };
    const refusal = refused(() => strictly(options));
    expect(refusal).toContain('a URL is not an option');
    const { warnings } = standalone(options);
    expect(warnings).toEqual(['orders.a URL is not an option']);
    const problems = shown(moduleOptionProblems([], options as object));
    expect(problems).toContain('a URL is not an option');
    const health = refused(() => healthSettings(options as object, ['primary'], false));
    expect(health).toContain('a URL is not an option');
    for (const text of [refusal, problems, health]) expect(text).not.toContain(PASSWORD);
  });

  it.each([
    ['given', () => PoolModule.forRoot({ pools: { [URL_OF_OURS]: {} } })],
    ['turned off', () => PoolModule.forRoot({ pools: { primary: {}, [URL_OF_OURS]: false } })],
    ['declared', () => PoolModule.forRootAsync({ pools: [URL_OF_OURS], useFactory: () => ({}) })],
  ])('of a pool is refused without it, where it is %s', (_, make) => {
    const refusal = refused(make);
    expect(refusal).toContain('one of them has a URL as its name');
    expect(refusal).not.toContain(PASSWORD);
  });

  it('of a pool that is asked for is not repeated', () => {
    const unknown = new UnknownPoolError(URL_OF_OURS, ['primary'], undefined);
    expect(unknown).toMatchObject({ requested: 'a URL' });
    expect(shown(unknown)).toContain("there is no pool 'a URL'");
    const critical = refused(() => healthSettings({ critical: [URL_OF_OURS] }, ['primary'], false));
    expect(critical).toContain("critical names the pool 'a URL'");
    for (const text of [shown(unknown), critical]) expect(text).not.toContain(PASSWORD);
  });

  it('of options is refused without it', () => {
    const refusal = refused(() => new Pool(URL_OF_OURS as never));
    expect(refusal).toContain('options must be an object');
    expect(refusal).not.toContain(PASSWORD);
  });
});
