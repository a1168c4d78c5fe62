import { afterAll, beforeAll } from '@jest/globals';
import { PostgresServer } from '../../support/postgres/postgres-server.js';
import { measure, type Scenario } from './scenario.js';
import { nestjsPools } from './subject.js';

/** A server of one spec's own, to be hurt. */
export interface FaultServer {
  /** Runs a scenario with our pool. */
  measure<Measured>(scenario: Scenario<Measured>): Promise<Measured>;
  readonly server: PostgresServer;
}

const START_TIMEOUT_MS = 60_000;

/** To be called once in a spec file, outside of its tests. */
export function faultServer(): FaultServer {
  let server: PostgresServer | undefined;
  beforeAll(async () => {
    server = await PostgresServer.create();
    await server.start();
  }, START_TIMEOUT_MS);
  afterAll(() => server?.remove());
  return {
    measure: (scenario) => measure(scenario, nestjsPools, server!),
    get server() {
      return server!;
    },
  };
}
