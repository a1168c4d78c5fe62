const SIZING = `  --cores <n>        cores of the database server, without hyper-threads
  --storage <what>   memory, ssd (default) or hdd
  --spindles <n>     disks that work side by side, with --storage hdd
  --instances <n>    processes of the application that run at once`;

const USAGES = {
  doctor: `Usage: npx nestjs-pools doctor [url] [options]

Asks a PostgreSQL server about its limits, settings and sessions, and says what to set.
The url is that of a database, as postgres://user:password@host:5432/database; without it,
DATABASE_URL or the PG* variables say it. Nothing is changed at the server.

${SIZING}
  --timeout <ms>     longest wait for the server (default 10000)
  --strict           advice counts as a warning does
  --json             one JSON object instead of text
  --help             this text

Exit code: 0 nothing to warn of, 1 warnings, 2 the server could not be asked.`,

  size: `Usage: npx nestjs-pools size --cores <n> [options]

Says how large pools should be: (cores x 2) + effective spindles, for all instances together.
Asks no server.

${SIZING}
  --pool <name=weight>  a pool and its share; may be repeated (default primary=1)
  --json             one JSON object instead of text
  --help             this text`,
} as const;

export type Command = keyof typeof USAGES;

export const USAGE = `Usage: npx nestjs-pools <command> [options]

  doctor [url]       looks at a server, and says what to set
  size --cores <n>   says how large pools should be, without a server

  --help             this text; after a command, its options`;

export function usageOf(command: Command): string {
  return USAGES[command];
}

export function isCommand(name: string): name is Command {
  return Object.hasOwn(USAGES, name);
}
