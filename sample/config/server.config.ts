import { type ConfigType, registerAs } from '@nestjs/config';
import { InvalidPortError } from './invalid-port.error.js';

const DEFAULT_PORT = 3000;

/** Where the application listens. The host is fixed: a sample is not to be reached from outside. */
export const serverConfig = registerAs('server', () => ({
  host: '127.0.0.1',
  port: portFrom(process.env.PORT),
}));

export type ServerConfig = ConfigType<typeof serverConfig>;

function portFrom(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new InvalidPortError(text);
}
