import knex from 'knex';

export function open({ url, max }) {
  const database = knex({
    client: 'pg',
    connection: url,
    pool: { min: 0, max },
    acquireConnectionTimeout: 5_000,
  });
  return {
    transaction: (work) =>
      database.transaction((transaction) =>
        work(({ text, values }) => transaction.raw(withMarks(text), values)),
      ),
    end: () => database.destroy(),
  };
}

/** knex numbers the parameters itself. */
function withMarks(text) {
  return text.replaceAll(/\$\d+/g, '?');
}
