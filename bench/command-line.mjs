import { parseArgs } from 'node:util';

const ROUNDS = 5;

/** @param {string[]} known names of the scenarios */
export function commandLine(known) {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', multiple: true, default: known },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const names = values.scenario.flatMap((list) => list.split(','));
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new Error(`no scenario '${unknown}'; there are: ${known.join(', ')}`);
  }
  const rounds = Number(values.rounds ?? (values.quick ? 1 : ROUNDS));
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`--rounds takes a whole number from 1, not '${values.rounds}'`);
  }
  return { names, rounds, quick: values.quick, write: values.write };
}
