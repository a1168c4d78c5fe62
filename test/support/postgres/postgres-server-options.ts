import type { AuthMethod } from './create-cluster.js';
import type { ServerSettings } from './server-settings.js';

export interface PostgresServerOptions {
  /** Where the server lives. Kept by `stop()`, opened again by the next `create()`; a temporary directory by default. */
  readonly dataDir?: string;
  /** Free one by default. It stays the same over restarts. */
  readonly port?: number;
  /** Added to the default settings. */
  readonly settings?: ServerSettings;
  /** How users prove who they are when the cluster is created; `scram-sha-256` by default. */
  readonly auth?: AuthMethod;
}

export interface StandbyOptions {
  /** Its `application_name` at the primary, and its slot; `standby_1` and so on by default. */
  readonly name?: string;
  /** Made anew when it exists: a standby of an earlier primary is of no use. */
  readonly dataDir?: string;
  readonly port?: number;
  /** Added to those of the primary. */
  readonly settings?: ServerSettings;
  /** Address to stream through, for example of a proxy before the primary. */
  readonly via?: Address;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ConnectionStringOptions {
  readonly database?: string;
  /** The superuser by default. */
  readonly user?: string;
  /** The superuser's own by default; other users have none unless given. */
  readonly password?: string;
  /** Address to connect through, for example of a proxy before the server. */
  readonly via?: Address;
}
