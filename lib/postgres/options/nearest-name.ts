import { distance } from 'fastest-levenshtein';

/** The name that a misspelt one most likely means; undefined when none is near. */
export function nearestName(misspelt: string, names: readonly string[]): string | undefined {
  const wanted = plain(misspelt);
  const ranked = names
    .map((name) => ({ name, edits: distance(wanted, plain(name)) }))
    .toSorted((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best !== undefined && best.edits <= Math.ceil(wanted.length / 2) ? best.name : undefined;
}

/** idle_timeout_ms, IdleTimeoutMs and idleTimeoutMs are no edits apart. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
