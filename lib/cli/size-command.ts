import { isUrl } from '../errors/shown-name.js';
import { isWeight } from '../sizing/formula.js';
import { type ServerSizing, sizeServer } from '../sizing/server-sizing.js';
import { COMMON_FLAGS, parsed, sizingFrom } from './arguments.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { moduleOptionsText } from './options-text.js';
import { printable, printableJson, type Terminal } from './terminal.js';
import { usageOf } from './usage.js';
import { WrongUsage } from './wrong-usage.js';

const FLAGS = { ...COMMON_FLAGS, pool: { type: 'string', multiple: true } } as const;

/** Beside the others: it asks a short question now and then. */
const ADMIN = 'admin';

interface WeightedPool {
  readonly pool: string;
  readonly weight: number;
}

/** `nestjs-pools size`: the formula, without a server. */
// oxlint-disable-next-line typescript/require-await -- every command is awaited
export async function size(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values } = parsed({ args: [...args], options: FLAGS });
  if (values.help) {
    terminal.out(usageOf('size'));
    return EXIT.fine;
  }
  const sizing = sizingFrom(values);
  const { databaseCores } = sizing;
  if (databaseCores === undefined) throw new WrongUsage('--cores is missing');
  const pools = (values.pool ?? ['primary=1']).map((text) => weightedPool(text));
  const twice = pools.find(({ pool }, index) => pools.findIndex((p) => p.pool === pool) < index);
  if (twice) throw new WrongUsage(`--pool names ${twice.pool} twice`);
  const result = sizeServer(
    'the server',
    { ...sizing, databaseCores },
    pools.map(({ pool, weight }) => ({ pool, weight, fixed: undefined })),
  );
  terminal.out(values.json ? printableJson(result, 2) : textOf(result));
  return EXIT.fine;
}

function textOf(result: ServerSizing): string {
  const { databaseCores, storage, spindles, instances, pools, connections } = result;
  const sizing = {
    databaseCores,
    storage,
    ...(storage === 'hdd' && { spindles }),
    instances,
  };
  const options = pools.map(({ pool, weight }): [string, object] => [
    pool,
    { max: 'auto', ...(weight !== 1 && { weight }) },
  ]);
  return [
    `${printable(result.reason)}.`,
    ...(result.isOver
      ? [
          '',
          `That is more than the server can work on. Put a pooler in between, as PgBouncer with` +
            ` default_pool_size = ${connections}, or run fewer instances.`,
        ]
      : []),
    '',
    'Options to paste:',
    '',
    moduleOptionsText(sizing, options),
  ].join('\n');
}

function weightedPool(text: string): WeightedPool {
  const [, pool, weight = '1'] = /^([^=]+)(?:=(\d+(?:\.\d+)?))?$/.exec(text) ?? [];
  if (pool !== undefined && isUrl(pool)) throw new WrongUsage('a url is no name of a pool');
  if (pool === ADMIN) throw new WrongUsage(`the pool ${ADMIN} has no part in the formula`);
  if (pool !== undefined && isWeight(Number(weight))) return { pool, weight: Number(weight) };
  throw new WrongUsage(
    "--pool takes a name and a weight above 0, at most 1000000, as '--pool reports=0.5'",
  );
}
