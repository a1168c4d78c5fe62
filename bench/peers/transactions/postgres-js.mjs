import postgres from 'postgres';

/** Prepares statements, as it does by default; a list of them is sent at once, BEGIN and COMMIT apart. */
export function open({ url, max }) {
  const sql = postgres(url, { max });
  const within =
    (transaction) =>
    ({ text, values }) =>
      transaction.unsafe(text, values, { prepare: true });
  return {
    transaction: (work) => sql.begin((transaction) => work(within(transaction))),
    batch: (statements) => sql.begin((transaction) => statements.map(within(transaction))),
    end: () => sql.end(),
  };
}
