import type { SessionFeature } from '../../errors/session-feature.error.js';

/** PgBouncer tracks these for each client, and sets them on whatever connection it gives it. */
const TRACKED =
  'application_name|client_encoding|names|datestyle|time\\s*zone|standard_conforming_strings';

/** What looks like one at first sight: nearly every text looks like none. */
const SUSPECT =
  /\b(?:(?:un)?listen|set|reset|discard|prepare|execute|deallocate|temp|temporary|hold|load)\b|set_config|advisory_/i;

/** At the beginning of one of the statements of a text from which all data was taken out. */
const beginning = (pattern: string): RegExp => new RegExp(`(?:^|;)\\s*${pattern}`, 'i');

const FEATURES: readonly (readonly [feature: SessionFeature, pattern: RegExp])[] = [
  ['LISTEN', beginning('(?:un)?listen\\b')],
  [
    'SET',
    beginning(
      `(?:(?:reset|discard)\\b|set\\s+(?!local\\b|transaction\\b|constraints\\b|(?:session\\s+)?(?:${TRACKED})\\b))`,
    ),
  ],
  ['SET', /\bset_config\s*\([^()]*,\s*false\s*\)/i],
  ['an advisory lock of the session', /\bpg_(?:try_)?advisory_(?:un)?lock(?:_shared|_all)?\s*\(/i],
  [
    'a temporary table that outlives its transaction',
    /\bcreate\s+(?:(?:local|global)\s+)?temp(?:orary)?\s+table\b(?![^;]*\bon\s+commit\s+drop\b)/i,
  ],
  ['a temporary table that outlives its transaction', /\binto\s+(?:local\s+)?temp(?:orary)?\b/i],
  ['PREPARE', beginning('(?:prepare\\s+(?!transaction\\b)|execute\\b|deallocate\\b)')],
  ['a cursor WITH HOLD', /\bcursor\s+with\s+hold\b/i],
  ['LOAD', beginning('load\\b')],
];

/** Texts, quoted names, dollar-quoted bodies and comments: data, whatever stands in them. */
const DATA =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\//g;

/**
 * The first thing in a text that needs a session which stays. What a function does inside, or a
 * value that travels as a parameter, is not seen.
 */
export function sessionFeatureOf(text: string): SessionFeature | undefined {
  if (!SUSPECT.test(text)) return undefined;
  const words = text.replace(DATA, (data) => (/^['"$]/.test(data) ? "''" : ' '));
  return FEATURES.find(([, pattern]) => pattern.test(words))?.[0];
}
