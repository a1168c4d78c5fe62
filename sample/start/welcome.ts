import { examples } from '../home/examples.js';

/** There is no such signal on Windows. */
const REPORT = [
  '  # who holds which connection, written to the log here',
  `  kill -USR2 ${process.pid}`,
];

/** What whoever started the sample sees first: where everything is, and what to try. */
export function welcome(url: string, databases: Readonly<Record<string, string>>): string {
  const places = { docs: `${url}/docs`, health: `${url}/health`, ...databases };
  return [
    '',
    `The sample is ready: ${url}`,
    ...Object.entries(places).map(([name, place]) => `  ${name.padEnd(9)}${place}`),
    '',
    'Try in another terminal:',
    ...examples(url).flatMap(({ shows, command }) => [`  # ${shows}`, `  ${command}`]),
    ...(process.platform === 'win32' ? [] : REPORT),
    '',
    'Ctrl-C answers what is still running, then stops everything that was started here.',
    '',
  ].join('\n');
}
