import { parseArgs, type ParseArgsConfig } from 'node:util';
import { mergedSizing, type Sizing, sizingProblems } from '../sizing/read-sizing.js';
import { WrongUsage } from './wrong-usage.js';

/** The flags that both commands have. */
export const COMMON_FLAGS = {
  cores: { type: 'string' },
  storage: { type: 'string' },
  spindles: { type: 'string' },
  instances: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Flags, by the names that the options of the module have for them. */
const FLAG_OF: Readonly<Record<string, string>> = { databaseCores: 'cores' };

interface SizingFlags {
  readonly cores?: string | undefined;
  readonly storage?: string | undefined;
  readonly spindles?: string | undefined;
  readonly instances?: string | undefined;
}

/**
 * Reads a command line strictly.
 *
 * @throws WrongUsage in one sentence
 */
export function parsed<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (!code?.startsWith('ERR_PARSE_ARGS')) throw error;
    // What it quotes may hold a password.
    if (message.includes('://')) throw new WrongUsage('a url is not wanted there');
    // Node goes on to explain how to pass such a thing after all; nobody wants that here.
    throw new WrongUsage(message.split(/\. |\n/)[0]!.replace(/\.$/, ''));
  }
}

/** @throws WrongUsage */
export function sizingFrom({ cores, storage, spindles, instances }: SizingFlags): Sizing {
  const options = {
    ...(cores !== undefined && { databaseCores: cores }),
    ...(storage !== undefined && { storage: storage as 'ssd' }),
    ...(spindles !== undefined && { spindles }),
    ...(instances !== undefined && { instances }),
  };
  const [problem] = sizingProblems(options);
  const sizing = problem ? problem.message : mergedSizing(options);
  if (typeof sizing !== 'string') return sizing;
  const flagged = sizing.replace(/\b(databaseCores|storage|spindles|instances)\b/g, (name) => {
    return `--${FLAG_OF[name] ?? name}`;
  });
  throw new WrongUsage(flagged);
}
