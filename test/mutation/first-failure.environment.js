import { TestEnvironment } from 'jest-environment-node';

/**
 * Skips what is left after the first test that fails: one is enough to know a mutant, and jest can
 * stop between two files only.
 */
export default class FirstFailureEnvironment extends TestEnvironment {
  handleTestEvent({ name }, state) {
    if (name === 'test_fn_failure') state.testNamePattern = /(?!)/;
  }
}
