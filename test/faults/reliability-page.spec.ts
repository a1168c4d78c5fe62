import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { CATALOG } from './catalog.js';

describe('docs/reliability.md', () => {
  it('has a measured row for every scenario; `npm run reliability` renews them', async () => {
    const page = await readFile(new URL('../../docs/reliability.md', import.meta.url), 'utf8');
    const rows = page.split('\n').filter((line) => line.startsWith('|'));

    const missing = Object.values(CATALOG)
      .flat()
      .map(({ what }) => what)
      .filter((what) => !rows.some((row) => row.startsWith(`| ${what} `)));

    expect(missing).toEqual([]);
  });
});
