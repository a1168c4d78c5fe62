/** Settings as in postgresql.conf, by name. */
export type ServerSettings = Readonly<Record<string, string | number | boolean>>;

/**
 * A small server for tests and samples: quick to start, open to standbys, reachable through
 * 127.0.0.1 only. Nothing here survives a power cut, and nothing here needs to.
 */
export const DEFAULT_SETTINGS: ServerSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 100,
  shared_buffers: '16MB',
  // Keeps all shared memory inside the data directory: containers often have a tiny /dev/shm.
  dynamic_shared_memory_type: 'mmap',
  // Saves the three processes of the default method.
  io_method: 'sync',
  max_logical_replication_workers: 0,
  jit: false,
  fsync: false,
  wal_level: 'replica',
  max_wal_senders: 10,
  max_replication_slots: 10,
  // A standby that never comes back must not fill the disk.
  max_slot_wal_keep_size: '1GB',
  // The default of 5 s makes a standby notice its primary's return late.
  wal_retrieve_retry_interval: '100ms',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: false,
  log_line_prefix: '%m [%p] %q%u@%d ',
};

/** The text of a configuration file. */
export function renderSettings(settings: ServerSettings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${renderValue(value)}'\n`)
    .join('');
}

function renderValue(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value).replaceAll("'", "''");
}
