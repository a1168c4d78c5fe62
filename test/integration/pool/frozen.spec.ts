import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChildProgram } from '../../support/child-program.js';
import { eventually } from '../../support/eventually.js';
import { TcpProxy } from '../../support/tcp-proxy/tcp-proxy.js';
import { type TestDatabase, testDatabase } from '../../support/test-database.js';

const PROGRAM = new URL('./fixtures/frozen.ts', import.meta.url);
const PATIENCE_MS = 60_000;

/** Windows has no SIGSTOP. */
const onUnix = process.platform === 'win32' ? describe.skip : describe;

onUnix('a process that was frozen and thawed', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  beforeAll(async () => {
    database = await testDatabase();
    proxy = await TcpProxy.to(database);
  });
  afterAll(async () => {
    await proxy.close();
    await database.drop();
  });

  /** Cut by the network's own end, by nobody's word, and by the server's idle limit. */
  const cuts: [what: string, options: string, cut: (backend: number) => Promise<void>][] = [
    ['a network that reset it', '', async () => proxy.reset()],
    ['a network that forgot it', '', async () => proxy.forget()],
    [
      "the server's idle limit",
      '?options=-c%20idle_session_timeout%3D300',
      (backend) => eventually(() => isGone(backend), { timeoutMs: PATIENCE_MS }).then(() => {}),
    ],
  ];

  async function isGone(backend: number): Promise<boolean> {
    const { rowCount } = await database.query('SELECT FROM pg_stat_activity WHERE pid = $1', [
      backend,
    ]);
    return rowCount === 0;
  }

  it.each(cuts)(
    'is not handed the connection that was cut meanwhile by %s',
    async (_, options, cut) => {
      const url = proxy.through(database.connectionString) + options;
      await using program = ChildProgram.run(PROGRAM, { args: [url] });
      const [, before] = await program.says(/call 1: backend (\d+)/, PATIENCE_MS);

      program.signal('SIGSTOP');
      await cut(Number(before));
      program.signal('SIGUSR2');
      program.signal('SIGCONT');
      const [, after] = await program.says(/call 2: (.*)\n/, PATIENCE_MS);

      expect(after).toMatch(/^backend \d+$/);
      expect(after).not.toBe(`backend ${before}`);
      program.signal('SIGTERM');
      expect(await program.ends(PATIENCE_MS)).toMatchObject({ code: 0 });
    },
    3 * PATIENCE_MS,
  );
});
