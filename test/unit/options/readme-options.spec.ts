import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { format } from 'prettier';
import { optionsMarkdown } from '../../../scripts/options-markdown.js';

const README = new URL('../../../README.md', import.meta.url);
const SECTION = /<!-- options:start -->\n+([\s\S]*?)\n+<!-- options:end -->/;

describe('README.md', () => {
  it('has the options table between its markers as the option table says', () => {
    const readme = existsSync(README) ? readFileSync(README, 'utf8') : '';
    const section = SECTION.exec(readme)?.[1];
    if (section === undefined) {
      throw new Error(
        'README.md lacks the section; put this into it:\n\n' +
          `<!-- options:start -->\n\n${optionsMarkdown()}\n\n<!-- options:end -->\n`,
      );
    }
    expect(section).toBe(optionsMarkdown());
  });

  it('gets a table that prettier leaves as it is', async () => {
    const written = `${optionsMarkdown()}\n`;
    expect(await format(written, { parser: 'markdown', printWidth: 100 })).toBe(written);
  });
});
