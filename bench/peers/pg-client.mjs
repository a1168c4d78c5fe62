import pg from 'pg';

/** So many connections without a pool: statements are dealt out in turn and wait on them. */
export async function open({ url, max }) {
  const clients = Array.from({ length: max }, () => new pg.Client({ connectionString: url }));
  await Promise.all(clients.map((client) => client.connect()));
  let turn = 0;
  return {
    query(text, values) {
      turn = (turn + 1) % clients.length;
      return clients[turn].query(text, values);
    },
    end: () => Promise.all(clients.map((client) => client.end())),
  };
}
