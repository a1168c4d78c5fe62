import { afterEach, beforeEach } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { environmentSays } from '../../nest/support/environment.js';
import type { PrimaryAndStandby } from './primary-and-standby.js';

/**
 * To be called once in a spec file, outside of its tests, whose applications find the servers in the
 * environment. Those that a test keeps end with it, and the standby replays again.
 */
export function openApplications(servers: PrimaryAndStandby): (kept: INestApplication) => void {
  let restore = () => {};
  let open: INestApplication[] = [];
  beforeEach(() => {
    restore = environmentSays({
      DATABASE_URL: servers.primary.connectionString(),
      DATABASE_REPLICA_URL: servers.standby.connectionString(),
    });
  });
  afterEach(async () => {
    restore();
    await servers.standby.resumeReplay();
    await Promise.all(open.map((application) => application.close()));
    open = [];
  });
  return (kept) => void open.push(kept);
}
