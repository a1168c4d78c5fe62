import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  maskedStatement,
  SHOWN_CHARACTERS,
} from '../../../lib/postgres/report/masked-statement.js';

describe('a statement that is shown', () => {
  it.each([
    ["SELECT 'secret'", 'SELECT ?'],
    ["SELECT 'it''s secret' || 'more'", 'SELECT ? || ?'],
    ["SELECT E'it\\'s secret', e'\\\\', 1", 'SELECT ?, ?, ?'],
    ["SELECT U&'d\\0061t' UESCAPE '!'", 'SELECT ? UESCAPE ?'],
    ["SELECT b'101', X'1F', n'secret'", 'SELECT ?, ?, ?'],
    ["SELECT date'2020-01-01'", 'SELECT date?'],
    ['SELECT $$secret$$, $tag$se$$cret$tag$', 'SELECT ?, ?'],
    ['SELECT 1, 1.5, .5, 1e-5, 0xFF, 1_000, -7', 'SELECT ?, ?, ?, ?, ?, ?, -?'],
    ['SELECT a[1], x::varchar(20) LIMIT 10', 'SELECT a[?], x::varchar(?) LIMIT ?'],
  ])('has its literals masked: %s', (text, shown) => {
    expect(maskedStatement(text)).toBe(shown);
  });

  it.each([
    ['SELECT * FROM t1 WHERE a2b = $1 AND b = $22'],
    ['SELECT "a ""quoted"" name 1", pre$fix$1 FROM "U&2"'],
    ['UPDATE account SET balance = balance - $1 WHERE id = $2'],
  ])('keeps names and parameters: %s', (text) => {
    expect(maskedStatement(text)).toBe(text);
  });

  it('has no comments, and one blank where there were many', () => {
    const text = `-- secret one
      SELECT a /* secret /* nested */ secret */ , b -- secret`;
    expect(maskedStatement(text)).toBe('SELECT a , b');
  });

  it('is cut', () => {
    const shown = maskedStatement(`SELECT ${'a, '.repeat(200)}b`);
    expect(shown).toHaveLength(SHOWN_CHARACTERS);
    expect(shown).toMatch(/^SELECT a, a, .*…$/);
    expect(maskedStatement('a'.repeat(SHOWN_CHARACTERS))).toBe('a'.repeat(SHOWN_CHARACTERS));
  });

  it.each(["'secret", "E'secret", '$$secret', '"secret', '/* secret', "SELECT 'secret\\"])(
    'shows nothing of what is never closed: %s',
    (text) => {
      expect(maskedStatement(text)).not.toContain('secret');
    },
  );

  it('shows nothing behind a quote that a setting of the session may have escaped', () => {
    expect(maskedStatement("SELECT 'it\\'s secret', 'more', b")).toBe('SELECT ?…');
    expect(maskedStatement("SELECT E'a'\n'b\\'secret'")).toBe('SELECT ? ?…');
  });

  it('is made of a text of megabytes', () => {
    const secret = "secret '' ".repeat(300_000);
    expect(maskedStatement(`INSERT INTO t VALUES ('${secret}')`)).toBe('INSERT INTO t VALUES (?)');
    expect(maskedStatement(`/*${'/*'.repeat(300_000)}`)).toBe('');
  });

  // --- Whatever stands in it ---------------------------------------------------------------------

  const SECRET = 'q7secret7q';

  /** Any text around the secret, to be put into a literal by one of the ways there are. */
  const hidden = fc
    .tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme-ascii' }))
    .map(([before, after]) => `${before}${SECRET}${after}`);

  const inLiteral = fc.oneof(
    hidden.map((text) => `'${text.replaceAll('\\', '').replaceAll("'", "''")}'`),
    hidden.map((text) => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`),
    hidden.map((text) => `e'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`),
    hidden.map((text) => `U&'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`),
    hidden.map((text) => `$$${text.replaceAll('$', '')}$$`),
    hidden.map((text) => `$x1$${text.replaceAll('$', '')}$y$$x1$`),
    hidden.map((text) => `/* ${text.replaceAll('/', '').replaceAll('*', '')} */`),
    hidden.map((text) => `/* /* */ ${text.replaceAll('/', '').replaceAll('*', '')} */`),
    hidden.map((text) => `-- ${text.replaceAll(/[\r\n]/g, '')}\n`),
  );

  const NUMBER = '7040506';
  const asNumber = fc.constantFrom(
    NUMBER,
    `${NUMBER}.5`,
    `.${NUMBER}`,
    `1e${NUMBER}`,
    `1e-${NUMBER}`,
    `0x${NUMBER}`,
    `b'${NUMBER}'`,
    `X'${NUMBER}'`,
    `1_${NUMBER}`,
    `1..${NUMBER}`,
  );

  const around = fc.constantFrom(
    'SELECT ',
    ' FROM t1 WHERE a2 = ',
    ', ',
    ' || ',
    '(',
    ')',
    '::text ',
    ' "a name" ',
    ' $1 ',
    '\n',
    ' a$b ',
    ' -',
    ' e ',
    '[',
  );

  it('lets no literal through, however statements are put together', () => {
    const statement = fc.array(fc.tuple(around, fc.oneof(inLiteral, asNumber)), { minLength: 1 });
    fc.assert(
      fc.property(statement, (parts) => {
        const shown = maskedStatement(parts.flat().join(''));
        expect(shown).not.toContain(SECRET);
        expect(shown).not.toContain(NUMBER);
        expect(shown.length).toBeLessThanOrEqual(SHOWN_CHARACTERS);
      }),
      { numRuns: 1_000 },
    );
  });
});
