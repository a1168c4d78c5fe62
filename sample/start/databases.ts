import { startEmbeddedDatabase } from '../database/embedded-database.js';

/** The databases of this start, by what they are called on the screen, with what may be shown of them. */
export type Databases = Readonly<Record<string, string>>;

/** Those that the environment (or `.env`) names; without any, the sample brings its own. */
export async function provideDatabases(): Promise<Databases> {
  const given = process.env.DATABASE_URL;
  if (given === undefined || given === '') {
    await startEmbeddedDatabase();
    // Their passwords are drawn at every start, and are worth showing: `psql` takes these addresses.
    return { primary: process.env.DATABASE_URL!, replica: process.env.DATABASE_REPLICA_URL! };
  }
  const replica = process.env.DATABASE_REPLICA_URL;
  return {
    primary: withoutPassword(given),
    replica: replica ? withoutPassword(replica) : 'none given: reads go to the primary too',
  };
}

function withoutPassword(connectionString: string): string {
  if (!URL.canParse(connectionString)) return 'as given';
  const { host, pathname } = new URL(connectionString);
  return `${host}${pathname}`;
}
