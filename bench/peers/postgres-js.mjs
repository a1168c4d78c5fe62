import postgres from 'postgres';

/** Prepares statements and keeps several in flight on a connection, as it does by default. */
export function open({ url, max }) {
  const sql = postgres(url, { max });
  return {
    query: (text, values = []) => sql.unsafe(text, values, { prepare: true }),
    async hold() {
      const reserved = await sql.reserve();
      return () => reserved.release();
    },
    end: () => sql.end(),
  };
}
