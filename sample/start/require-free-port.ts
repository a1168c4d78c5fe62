import { once } from 'node:events';
import { createServer } from 'node:net';
import { PortInUseError } from './port-in-use.error.js';
import type { ServerConfig } from '../config/server.config.js';

/** Refuses a taken port at once: before a database is started that nobody would use. */
export async function requireFreePort({ port, host }: ServerConfig): Promise<void> {
  const probe = createServer();
  const listening = once(probe, 'listening');
  probe.listen(port, host);
  try {
    await listening;
  } catch (error) {
    throw asPortInUse(error, { port, host });
  }
  const closed = once(probe, 'close');
  probe.close();
  await closed;
}

/** Turns the socket's own error into a sentence; another error stays as it is. */
export function asPortInUse(error: unknown, { port, host }: ServerConfig): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'EADDRINUSE' ? new PortInUseError(port, host, { cause: error }) : error;
}
