import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { ChildProgram } from '../../support/child-program.js';
import { eventually } from '../../support/eventually.js';
import { PostgresServer } from '../../support/postgres/postgres-server.js';
import { isAlive } from '../../support/postgres/process-table.js';

const PROGRAM = new URL('./fixtures/server-program.ts', import.meta.url);

describe('The directory of a PostgresServer', () => {
  let parent: string;
  let dataDir: string;

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'nestjs-pools-test-'));
    await chmod(parent, 0o755);
    dataDir = join(parent, 'server');
  });

  afterAll(() => rm(parent, { recursive: true, force: true }));

  it('keeps data, port and password for the next time', async () => {
    const before = await PostgresServer.create({ dataDir });
    await before.start();
    await before.query('CREATE TABLE kept ()');
    await before.stop();

    const after = await PostgresServer.create({ dataDir });
    await after.start();

    expect(after.connectionString()).toBe(before.connectionString());
    await expect(after.query('SELECT FROM kept')).resolves.toBeDefined();
    await after.stop();
  });

  it('is refused while its server runs', async () => {
    const server = await PostgresServer.create({ dataDir });
    await server.start();

    await expect(PostgresServer.create({ dataDir })).rejects.toThrow(
      `is in use: process ${process.pid} runs a server there (pid ${server.pid})`,
    );
    await server.stop();
  });

  it('is refused when it holds other things', async () => {
    await writeFile(join(parent, 'letter.txt'), 'dear');

    await expect(PostgresServer.create({ dataDir: parent })).rejects.toThrow(
      /is not empty and holds no server of ours/,
    );
  });

  it('is refused when another version made it', async () => {
    const versionFile = join(dataDir, 'data', 'PG_VERSION');
    const version = await readFile(versionFile, 'utf8');
    await writeFile(versionFile, '12\n');

    await expect(PostgresServer.create({ dataDir })).rejects.toThrow(/made by PostgreSQL 12/);
    await writeFile(versionFile, version);
  });

  it('is of no use with a port that is taken, and a clear sentence says so', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const server = await PostgresServer.create({ dataDir, port });

    await expect(server.start()).rejects.toThrow(`listens on 127.0.0.1:${port}`);
    other.close();
  });

  it('is made anew when its making was cut short', async () => {
    const record = join(dataDir, 'instance.json');
    const text = await readFile(record, 'utf8');
    await writeFile(record, text.replace('ready', 'initializing'));
    await rm(join(dataDir, 'data', 'global'), { recursive: true });

    const server = await PostgresServer.create({ dataDir });
    await server.start();

    await expect(server.query('SELECT 1')).resolves.toBeDefined();
    await server.stop();
  });

  it('is taken over from a program that died together with its guardian', async () => {
    await using program = ChildProgram.run(PROGRAM, { args: ['stay', dataDir] });
    const [, pid, guardian] = await program.says(/server (\d+) .* guardian (\d+)/);
    process.kill(Number(guardian), 'SIGKILL');
    program.signal('SIGKILL');
    await program.ends();
    expect(isAlive(Number(pid))).toBe(true);

    const server = await PostgresServer.create({ dataDir });
    await server.start();

    expect(isAlive(Number(pid))).toBe(false);
    await expect(server.query('SELECT 1')).resolves.toBeDefined();
    await server.stop();
  });

  it('vanishes, if temporary, when its program ends by itself', async () => {
    await using program = ChildProgram.run(PROGRAM, { args: ['end'] });

    const { code, stdout } = await program.ends();

    const [, pid, directory] = stdout.match(/server (\d+) in (\S+),/)!;
    expect(code).toBe(0);
    expect(isAlive(Number(pid))).toBe(false);
    expect(existsSync(directory!)).toBe(false);
  });

  it('vanishes, if temporary, soon after its program was killed', async () => {
    await using program = ChildProgram.run(PROGRAM, { args: ['stay'] });
    const [, pid, directory] = await program.says(/server (\d+) in (\S+),/);

    program.signal('SIGKILL');
    await program.ends();

    await eventually(() => !isAlive(Number(pid)));
    await eventually(() => !existsSync(directory!), { timeoutMs: 15_000 });
  });
});
