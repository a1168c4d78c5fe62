export const SEEDED_ACCOUNTS = 100;
export const SEEDED_TRANSFERS = 20_000;

const OPENING_CENTS = 10_000_000;

/**
 * The same accounts, amounts and balances on every machine; only the dates are new, so that the
 * report of the past weeks has something to show. A transfer every five minutes makes ten weeks.
 *
 * The strides (7 for the accounts, 7919 for the amounts) share no factor with what they count
 * through, so every account pays and is paid alike. All that an account pays stays below what it
 * opened with: no balance was ever negative.
 */
export const SEED = `
INSERT INTO bank.accounts (owner, opening_cents, balance_cents)
SELECT 'Account holder ' || n, ${OPENING_CENTS}, ${OPENING_CENTS}
  FROM generate_series(1, ${SEEDED_ACCOUNTS}) AS n
 ORDER BY n;

INSERT INTO bank.transfers (from_account, to_account, amount_cents, created_at)
SELECT 1 + (n * 7) % ${SEEDED_ACCOUNTS},
       1 + (n * 7 + 1 + (n / ${SEEDED_ACCOUNTS}) % (${SEEDED_ACCOUNTS} - 1)) % ${SEEDED_ACCOUNTS},
       100 + (n * 7919) % 49900,
       now() - (${SEEDED_TRANSFERS} - n) * interval '5 minutes'
  FROM generate_series(1, ${SEEDED_TRANSFERS}) AS n
 ORDER BY n;

UPDATE bank.accounts AS account
   SET balance_cents = opening_cents
     + coalesce((SELECT sum(amount_cents) FROM bank.transfers WHERE to_account = account.id), 0)
     - coalesce((SELECT sum(amount_cents) FROM bank.transfers WHERE from_account = account.id), 0);
`;
