import { sql } from 'drizzle-orm';

/** The statement as its template: drizzle numbers the parameters itself. */
export function drizzleSql({ text, values }) {
  return sql(text.split(/\$\d+/), ...values);
}
