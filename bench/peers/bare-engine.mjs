import { ResourcePool } from '../../dist/lib/engine/resource-pool.js';
import { resolvePoolOptions } from '../../dist/lib/postgres/options/resolve-options.js';
import { FakeClient } from './fake-client.mjs';

/** The engine under our Pool, without anything that knows PostgreSQL. */
export function bareEngine(options) {
  const resolved = resolvePoolOptions('bench', options, { strict: true, defaults: 'standalone' });
  return new ResourcePool({ options: resolved, driver: new FakeDriver() });
}

class FakeDriver {
  open() {
    return Promise.resolve(new FakeClient());
  }

  check() {
    return Promise.resolve();
  }

  recycle() {
    return undefined;
  }

  close() {
    return Promise.resolve();
  }

  destroy() {
    return Promise.resolve();
  }

  isPermanent() {
    return false;
  }
}
