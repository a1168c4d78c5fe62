import { describe, expect, it } from '@jest/globals';
import { run } from '../../../lib/cli/run.js';

/** Runs the program with these arguments, without a server. */
async function nestjsPools(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(args, {
    env: {},
    out: (text) => out.push(text),
    err: (text) => err.push(text),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('nestjs-pools', () => {
  it('explains itself and its commands', async () => {
    for (const args of [['--help'], ['-h'], ['doctor', '--help'], ['size', '-h']]) {
      const { code, out, err } = await nestjsPools(...args);
      expect(out).toMatch(/^Usage: npx nestjs-pools /);
      expect({ code, err }).toEqual({ code: 0, err: '' });
    }
  });

  it('does not repeat an unknown command, which may be a URL with a password', async () => {
    const { code, out, err } = await nestjsPools('postgres://app:geheim@db/shop');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^nestjs-pools: unknown command\n\nUsage/);
    expect(err).not.toContain('geheim');
  });
});

describe('nestjs-pools size', () => {
  it('divides the formula, and gives options to paste', async () => {
    const pools = ['--pool', 'primary=3', '--pool', 'cron-jobs'];
    const { code, out } = await nestjsPools('size', '--cores', '8', '--instances', '2', ...pools);
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'the server: 8 cores x 2 + 1 for ssd = 17 connections; 2 instances have 8 each: primary 6' +
          ' (weight 3), cron-jobs 2.',
        '',
        'Options to paste:',
        '',
        '  PoolModule.forRoot({',
        "    sizing: { databaseCores: 8, storage: 'ssd', instances: 2 },",
        '    pools: {',
        "      primary: { max: 'auto', weight: 3 },",
        "      'cron-jobs': { max: 'auto' },",
        '    },',
        '  })',
      ].join('\n'),
    );
  });

  it('says that a pooler is needed where there are more instances than connections', async () => {
    const { out } = await nestjsPools(
      'size',
      '--cores',
      '8',
      '--storage',
      'ssd',
      '--instances',
      '20',
    );
    expect(out).toContain('20 in all is more than 17');
    expect(out).toContain('PgBouncer with default_pool_size = 17');
  });

  it('repeats no name as it is that a terminal takes for a command', async () => {
    const pool = 'a\u001b[2J\nb\u009b1m\u202e';
    const text = await nestjsPools('size', '--cores', '8', '--pool', pool);
    expect(text.out).toContain('1 instance has them all: a?[2J?b?1m? 17.');
    const twice = await nestjsPools('size', '--cores', '8', '--pool', pool, '--pool', pool);
    expect(twice.err).toContain('--pool names a?[2J?b?1m? twice;');
    const { out: json } = await nestjsPools('size', '--cores', '8', '--json', '--pool', pool);
    expect(json).toContain(String.raw`a\u001b[2J\nb\u009b1m\u202e`);
    expect(JSON.parse(json)).toMatchObject({ pools: [{ pool }] });
  });

  it('speaks JSON', async () => {
    const { out } = await nestjsPools('size', '--cores', '4', '--storage', 'memory', '--json');
    expect(JSON.parse(out)).toMatchObject({ connections: 8, pools: [{ pool: 'primary', max: 8 }] });
  });

  it.each([
    [['size'], '--cores is missing'],
    [['size', '--cores', 'many'], "--cores is 'many'; give a number of cores above 0"],
    [['size', '--cores', '8', '--storage', 'tape'], "--storage is 'tape'; give 'memory' or"],
    [['size', '--cores', '8', '--storage', 'hdd'], "--storage is 'hdd', but --spindles is missing"],
    [['size', '--cores', '8', '--instances', '0'], "--instances is '0'; give a whole number"],
    [['size', '--cores', '8', '--pool', 'a=0'], '--pool takes a name and a weight above 0'],
    [['size', '--cores', '8', '--pool', 'a=1000001'], '--pool takes a name and a weight above 0'],
    [['size', '--cores', '8', '--pool', `a=${'9'.repeat(400)}`], '--pool takes a name and a'],
    [['size', '--cores', '8', '--pool', 'a', '--pool', 'a=2'], '--pool names a twice'],
    [['size', '--cores', '8', '--pool', 'admin'], 'the pool admin has no part in the formula'],
    [['size', '--cores', '8', '--pool', 'postgres://a:geheim@b/c'], 'a url is no name of a pool'],
    [['size', '--cores', '8', '--core'], "Unknown option '--core'"],
    [['size', '--cores'], "Option '--cores <value>' argument missing"],
    [['size', '--cores', '8', 'postgres://a:geheim@b/c'], 'a url is not wanted there'],
    [['doctor', '--timeout', '0'], '--timeout takes milliseconds'],
    [['doctor', 'postgres://a:geheim@b,c:2/d'], 'the url names 2 hosts; give the url of one'],
    [['doctor'], 'no url is given, and neither DATABASE_URL nor PGHOST is set'],
  ])('refuses %j in one line that names the help', async (args, sentence) => {
    const { code, out, err } = await nestjsPools(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(`nestjs-pools ${args[0]}: ${sentence}`);
    expect(err).toMatch(new RegExp(`; see nestjs-pools ${args[0]} --help$`));
    expect(err).not.toMatch(/\n|geheim/);
  });
});
