/** One of the hosts that a pool may connect to. */
export interface HostAddress {
  /** Name or IP address, or the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
}

/** A host as it was written: without a port it has that of the pool. */
export interface GivenHost {
  readonly host: string;
  readonly port?: number;
}

/** Hosts as they were written, or what is wrong with them, as a message may show it. */
export type HostList =
  | { readonly hosts: readonly GivenHost[]; readonly fault?: undefined }
  | { readonly hosts?: undefined; readonly fault: string };

/** Reads the option `hosts`. */
export function readHosts(value: unknown): HostList {
  if (!Array.isArray(value)) return { fault: typeof value === 'string' ? 'a text' : 'no list' };
  if (value.length === 0) return { fault: 'an empty list' };
  const hosts: GivenHost[] = [];
  for (const [position, entry] of value.entries()) {
    const host = readHost(entry);
    if (host === undefined) return { fault: `a list whose entry ${position + 1} is no host` };
    hosts.push(host);
  }
  return repeated(hosts) ? { fault: 'a list that names a host twice' } : { hosts };
}

/** One host of a list: `db1`, `db1:5432`, `[::1]:5432`, `::1`, a socket's directory, an object. */
function readHost(entry: unknown): GivenHost | undefined {
  if (typeof entry === 'string') return hostFromText(entry);
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { host, port, ...others } = entry as Record<string, unknown>;
  const isHost = typeof host === 'string' && (isName(host) || isDirectory(host));
  if (!isHost || Object.keys(others).length > 0) return undefined;
  if (port === undefined) return { host };
  const number = portFrom(port);
  return number === undefined ? undefined : { host, port: number };
}

/** A port that was written as a number or as decimal digits; undefined when it is none. */
function portFrom(value: unknown): number | undefined {
  const isDecimal = typeof value === 'string' && /^\d{1,5}$/.test(value);
  const port = isDecimal ? Number(value) : value;
  const isPort = typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535;
  return isPort ? port : undefined;
}

function hostFromText(text: string): GivenHost | undefined {
  if (isDirectory(text)) return { host: text };
  const [, bracketed, bare, digits] =
    /^(?:\[([^[\]]+)\]|([^[\]:]+))(?::([^:]*))?$/.exec(text) ?? [];
  // More than one colon without brackets: an IPv6 address, and no port.
  const host = bracketed ?? bare ?? (/^[0-9a-f:.]*(?:%\w+)?$/i.test(text) ? text : '');
  if (!isName(host)) return undefined;
  if (digits === undefined) return { host };
  const port = portFrom(digits);
  return port === undefined ? undefined : { host, port };
}

/** Anything but what gives away that it is a URL, a login or a list. */
function isName(host: string): boolean {
  return host !== '' && !/[\s/@,?#]/.test(host);
}

function isDirectory(host: string): boolean {
  return host.startsWith('/') && !/[\s@,?#]|:\/\//.test(host);
}

function repeated(hosts: readonly GivenHost[]): boolean {
  const names = hosts.map(({ host, port }) => `${host.toLowerCase()} ${port}`);
  return new Set(names).size < names.length;
}

/** `db1:5432`, `[::1]:5432`. */
export function describeHost({ host, port }: HostAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
