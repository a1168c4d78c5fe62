import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';

const ROOT = new URL('../node_modules/', import.meta.url);
const BENCH = new URL('./node_modules/', import.meta.url);

/** What was measured on: what a reader needs to judge the figures, and nothing that names a host. */
export async function describeGround(database) {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    versions: {
      'Node.js': process.versions.node,
      PostgreSQL: await database.version(),
      'nestjs-pools': await versionOf(new URL('../', import.meta.url)),
      pg: await versionOf(new URL('pg/', ROOT)),
      'pg-pool': await versionOf(new URL('pg-pool/', ROOT)),
      'generic-pool': await versionOf(new URL('generic-pool/', BENCH)),
      tarn: await versionOf(new URL('tarn/', BENCH)),
      'postgres.js': await versionOf(new URL('postgres/', BENCH)),
      knex: await versionOf(new URL('knex/', BENCH)),
      drizzle: await versionOf(new URL('drizzle-orm/', BENCH)),
      typeorm: await versionOf(new URL('typeorm/', BENCH)),
      'typeorm-transactional': await versionOf(new URL('typeorm-transactional/', BENCH)),
      '@nestjs-cls/transactional': await versionOf(new URL('@nestjs-cls/transactional/', BENCH)),
    },
  };
}

/** Read as a file, since not every package exports its own description. */
async function versionOf(folder) {
  return JSON.parse(await readFile(new URL('package.json', folder), 'utf8')).version;
}
