import { doctor } from './doctor-command.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { size } from './size-command.js';
import { printable, type Terminal } from './terminal.js';
import { isCommand, USAGE } from './usage.js';
import { WrongUsage } from './wrong-usage.js';

const COMMANDS = { doctor, size };

/** Runs the program to its end. Never rejects over what a user did. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [name = '', ...rest] = args;
  if (name === '--help' || name === '-h' || name === 'help') {
    terminal.out(USAGE);
    return EXIT.fine;
  }
  if (!isCommand(name)) {
    // It may be a URL with a password.
    terminal.err(`nestjs-pools: ${name === '' ? 'no command' : 'unknown command'}\n\n${USAGE}`);
    return EXIT.notAsked;
  }
  try {
    return await COMMANDS[name](rest, terminal);
  } catch (error) {
    if (!(error instanceof WrongUsage)) throw error;
    const sentence = printable(error.message);
    terminal.err(`nestjs-pools ${name}: ${sentence}; see nestjs-pools ${name} --help`);
    return EXIT.notAsked;
  }
}
