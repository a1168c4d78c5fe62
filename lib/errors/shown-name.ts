/**
 * A name as a message may repeat it. A URL that strayed to where a name belongs still holds its
 * password.
 */
export function shownName(name: string): string {
  return isUrl(name) ? 'a URL' : name;
}

/** Whether it is none that anybody would have thought of as a name. */
export function isUrl(name: string): boolean {
  return name.includes('://');
}
