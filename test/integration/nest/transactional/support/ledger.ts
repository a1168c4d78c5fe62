import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { PoolModule } from '../../../../../lib/index.js';
import { type TestDatabase, testDatabase } from '../../../../support/test-database.js';
import { type ApplicationParts, startApplication } from '../../support/application.js';
import { environmentSays } from '../../support/environment.js';
import { RecordedLog } from '../../support/recorded-log.js';

/** A table of what was committed, in a database of the spec file's own, and applications on it. */
export class Ledger {
  /** What the applications of the running test have logged. */
  log = new RecordedLog();
  #database: TestDatabase | undefined;
  #restore = () => {};

  get database(): TestDatabase {
    return this.#database!;
  }

  /** What was committed, in its order, seen from outside of every application. */
  async entries(): Promise<string[]> {
    const { rows } = await this.database.query<{ note: string }>('SELECT note FROM entry');
    return rows.map(({ note }) => note);
  }

  /** Running, with pools to this database. */
  start(parts: Omit<ApplicationParts, 'imports' | 'log'> & Partial<ApplicationParts>) {
    const imports = [PoolModule.forRoot(), ...(parts.imports ?? [])];
    return startApplication({ log: this.log, ...parts, imports });
  }

  async create(): Promise<void> {
    this.#database = await testDatabase();
    await this.database.query('CREATE TABLE entry (note text)');
  }

  async renew(): Promise<void> {
    this.log = new RecordedLog();
    this.#restore = environmentSays({ DATABASE_URL: this.database.connectionString });
    await this.database.query('TRUNCATE entry');
  }

  restore(): void {
    this.#restore();
  }
}

/** To be called once in a spec file, outside of its tests. */
export function testLedger(): Ledger {
  const ledger = new Ledger();
  beforeAll(() => ledger.create());
  beforeEach(() => ledger.renew());
  afterEach(() => ledger.restore());
  afterAll(() => ledger.database.drop());
  return ledger;
}
