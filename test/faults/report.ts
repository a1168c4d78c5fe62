import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { format, resolveConfig } from 'prettier';
import { CATALOG } from './catalog.js';
import { measure, type Scenario } from './support/scenario.js';
import { barePgPool, nestjsPools, type Subject } from './support/subject.js';
import { PostgresServer } from '../support/postgres/postgres-server.js';

/**
 * Runs every scenario with our pool and with bare pg.Pool, and writes what was
 * measured into the tables of docs/reliability.md. Arguments name the groups to renew; all by
 * default.
 */
const PAGE = new URL('../../docs/reliability.md', import.meta.url);
const SUBJECTS: readonly Subject[] = [nestjsPools, barePgPool];

const groups = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(CATALOG);
const server = await PostgresServer.create();
await server.start();
try {
  await write('ground', await ground());
  for (const group of groups) await write(group, await tableOf(group));
} finally {
  await server.remove();
}

async function tableOf(group: string): Promise<string> {
  const scenarios = CATALOG[group];
  if (!scenarios)
    throw new Error(`no group '${group}'; there are: ${Object.keys(CATALOG).join(', ')}`);
  const rows = [
    ['what happens', ...SUBJECTS.map(({ name }) => name)],
    ['---', ...SUBJECTS.map(() => '---')],
  ];
  for (const scenario of scenarios) {
    const row = [scenario.what];
    for (const subject of SUBJECTS) row.push(await cellOf(scenario, subject));
    rows.push(row);
  }
  return rows.map((row) => `| ${row.map(escaped).join(' | ')} |`).join('\n');
}

async function cellOf(scenario: Scenario<unknown>, subject: Subject): Promise<string> {
  process.stderr.write(`${scenario.what} | ${subject.name} | `);
  const cell = scenario.tell(await measure(scenario, subject, server));
  process.stderr.write(`${cell}\n`);
  return cell;
}

async function write(group: string, text: string): Promise<void> {
  const [begin, end] = [`<!-- measured: ${group} -->`, `<!-- end: ${group} -->`];
  const page = await readFile(PAGE, 'utf8');
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/reliability.md has no place for '${group}'`);
  const renewed = `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
  const style = await resolveConfig(PAGE);
  await writeFile(PAGE, await format(renewed, { ...style, parser: 'markdown' }));
}

async function ground(): Promise<string> {
  const { rows } = await server.query<{ version: string }>(
    "SELECT current_setting('server_version') AS version",
  );
  return (
    `Measured with PostgreSQL ${rows[0]!.version}, pg ${await versionOf('pg')},` +
    ` pg-pool ${await versionOf('pg-pool')} and Node.js ${process.versions.node}, client and` +
    ` server on the same ${availableParallelism()} cores.`
  );
}

/** Read as a file, since not every package exports its own description. */
async function versionOf(name: string): Promise<string> {
  const description = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(await readFile(description, 'utf8')) as { version: string }).version;
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|');
}
