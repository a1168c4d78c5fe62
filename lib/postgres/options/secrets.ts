import { inspect } from 'node:util';

const TLS_SECRETS: ReadonlySet<string> = new Set(['key', 'pfx', 'passphrase']);

/**
 * A frozen copy in which the named properties are there but not enumerable: whoever asks for them
 * by name reads them, `util.inspect`, `JSON.stringify` and `{ ...copy }` do not.
 */
export function concealed<T extends object>(source: T, secrets: readonly string[]): Readonly<T> {
  const copy = copyOf(source);
  for (const secret of secrets.filter((name) => Object.hasOwn(copy, name))) {
    Object.defineProperty(copy, secret, { enumerable: false });
  }
  return Object.freeze(copy);
}

/**
 * TLS options as a frozen copy that shows no secret. `pfx` and `passphrase` must stay enumerable,
 * because pg hands the options to Node by `Object.assign` and looks after `key` alone: they are
 * hidden where the copy is shown.
 */
export function concealedTls<T extends object>(options: T): Readonly<T> {
  const copy = copyOf(options);
  const shown = () =>
    Object.fromEntries(Object.entries(copy).filter(([key]) => !TLS_SECRETS.has(key)));
  Object.defineProperties(copy, {
    toJSON: { value: shown },
    [inspect.custom]: { value: shown },
  });
  return concealed(copy, ['key']);
}

/** Keeps what is not enumerable: pg hides the key in the very object that an application gave it. */
function copyOf<T extends object>(source: T): T {
  const copy = Object.create(Object.getPrototypeOf(source) as object | null) as T;
  for (const key of Reflect.ownKeys(source)) {
    const property = Object.getOwnPropertyDescriptor(source, key);
    Object.defineProperty(copy, key, { ...property, configurable: true });
  }
  return copy;
}
