import type { SessionGroup } from '../../doctor/server-facts.js';
import { INSTANCE } from '../application-name.js';

/** Which sessions of a server are of these pools, in whichever instance of the application. */
export class OwnSessions {
  readonly #names: ReadonlySet<string>;
  /** Names without the instance at their end. */
  readonly #prefixes: readonly string[];

  constructor(names: readonly string[]) {
    this.#names = new Set(names);
    const ends = `:${INSTANCE}`;
    this.#prefixes = names
      .filter((name) => name.endsWith(ends))
      .map((name) => name.slice(0, -INSTANCE.length));
  }

  readonly has = (application: string): boolean =>
    this.#names.has(application) || this.#instanceOf(application) !== undefined;

  /** How many instances have sessions now, this one included. */
  instancesIn(sessions: readonly SessionGroup[]): number {
    const seen = sessions.flatMap(({ application }) => this.#instanceOf(application) ?? []);
    return new Set([INSTANCE, ...seen]).size;
  }

  #instanceOf(application: string): string | undefined {
    const prefix = this.#prefixes.find((one) => application.startsWith(one));
    const instance = prefix === undefined ? '' : application.slice(prefix.length);
    return instance.length === INSTANCE.length ? instance : undefined;
  }
}
