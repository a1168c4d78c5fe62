import { examples } from '../home/examples.js';

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
    '',
    'Ctrl-C answers what is still running, then stops everything that was started here.',
    '',
  ].join('\n');
}
