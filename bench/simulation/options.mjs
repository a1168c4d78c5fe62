import { parseArgs } from 'node:util';

const OPTIONS = {
  instances: [10_000, 'application instances'],
  max: [2, 'connections of each instance to its pooler, or to the server'],
  poolers: [8, 'poolers between them and the server; 0: none'],
  'server-connections': [16, 'connections of each pooler to the server'],
  cores: [64, 'cores of the server'],
  rate: [30_000, 'statements a second, of all instances together'],
  'statement-ms': [1, 'work of a statement on a core of its own, on average'],
  seconds: [5, 'how long it lasts'],
  'max-connections': [200, "the server's max_connections"],
  seed: [1, 'the same seed, the same figures'],
};

/** What there is no half of. */
const WHOLE = new Set([
  'instances',
  'max',
  'poolers',
  'server-connections',
  'max-connections',
  'seed',
]);

export const HELP = [
  'npm run simulate -- [options]',
  '',
  ...Object.entries(OPTIONS).map(
    ([name, [value, meaning]]) => `  --${name.padEnd(20)}${meaning} (${value})`,
  ),
  '  --json                figures for programs',
].join('\n');

/** @throws Error whose message says what is wrong with them */
export function readOptions(args) {
  const numbers = Object.fromEntries(
    Object.keys(OPTIONS).map((name) => [name, { type: 'string' }]),
  );
  const flags = { json: { type: 'boolean' }, help: { type: 'boolean' } };
  const { values } = parseArgs({ args, options: { ...numbers, ...flags } });
  const read = Object.entries(OPTIONS).map(([name, [otherwise]]) => {
    const value = Number(values[name] ?? otherwise);
    const least = name === 'poolers' || name === 'seed' ? 0 : Number.MIN_VALUE;
    if (!(Number.isFinite(value) && value >= least)) {
      throw new Error(`--${name} must be a number ${least === 0 ? 'of 0 or more' : 'above 0'}`);
    }
    if (WHOLE.has(name) && !Number.isInteger(value)) {
      throw new Error(`--${name} must be a whole number`);
    }
    return [camelCase(name), value];
  });
  return { ...Object.fromEntries(read), json: values.json === true, help: values.help === true };
}

function camelCase(name) {
  return name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
}
