import base from './jest.config.js';

/** What takes longer than a minute or installs from the registry; `npm run test:long`. */
export default {
  ...base,
  testMatch: ['<rootDir>/test/**/*.long.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 300_000,
};
