import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { poolSizePicture } from './pool-size-picture.mjs';
import { sectionsOf } from './sections.mjs';

const DOCS = new URL('../../docs/', import.meta.url);
const PAGE = new URL('benchmarks.md', DOCS);
const SIZING = new URL('sizing.md', DOCS);
const FIGURES = new URL('benchmarks.json', DOCS);
const PICTURE = new URL('pool-size.svg', DOCS);

/**
 * Writes the tables into docs/benchmarks.md, and beside it the figures and the picture; those of the
 * sizes of pools into docs/sizing.md as well.
 */
export async function renewPage(results) {
  const all = await together(results);
  await writeFile(FIGURES, await formatted(FIGURES, JSON.stringify(all), 'json'));
  const sections = Object.entries(sectionsOf(all));
  await renewSections(PAGE, sections);
  await renewSections(
    SIZING,
    sections.filter(([name]) => name === 'pool-size'),
  );
  const sizes = all.scenarios['pool-size'];
  if (sizes) await writeFile(PICTURE, poolSizePicture(sizes, all.ground));
}

/** A scenario that was not measured this time keeps the figures that the page shows. */
async function together({ ground, scenarios }) {
  const last = await readFile(FIGURES, 'utf8').then(JSON.parse, () => ({}));
  return { ground, scenarios: { ...last.scenarios, ...scenarios } };
}

async function renewSections(file, sections) {
  const page = sections.reduce(renewed, await readFile(file, 'utf8'));
  await writeFile(file, await formatted(file, page, 'markdown'));
}

function renewed(page, [name, text]) {
  const [begin, end] = [`<!-- measured: ${name} -->`, `<!-- end: ${name} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`a page has no place for '${name}'`);
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}

async function formatted(file, text, parser) {
  return format(text, { ...(await resolveConfig(file)), parser });
}
