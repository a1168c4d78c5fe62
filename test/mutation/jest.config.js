import { fileURLToPath } from 'node:url';

/**
 * For the mutants of the engine: its tests in virtual time, compiled before, without a server.
 *
 * @type {import('jest').Config}
 */
export default {
  rootDir: 'compiled',
  testMatch: ['<rootDir>/test/mutation/engine.js'],
  testEnvironment: fileURLToPath(new URL('first-failure.environment.js', import.meta.url)),
  transform: {},
};
