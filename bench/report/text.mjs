import { sectionsOf } from './sections.mjs';

/** For a terminal: the same tables as on the page. */
export function textOf(results) {
  return Object.entries(sectionsOf(results))
    .map(([name, section]) => `\n## ${name}\n\n${section}\n`)
    .join('');
}
