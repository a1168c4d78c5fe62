/**
 * The tables, in a schema of their own: pointed at an existing database, the sample neither meets
 * nor changes what is there already.
 */
export const SCHEMA = `
CREATE SCHEMA IF NOT EXISTS bank;

CREATE TABLE IF NOT EXISTS bank.accounts (
  id            integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner         text NOT NULL,
  opening_cents bigint NOT NULL CHECK (opening_cents >= 0),
  balance_cents bigint NOT NULL CHECK (balance_cents >= 0),
  created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS bank.transfers (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  from_account  integer NOT NULL REFERENCES bank.accounts,
  to_account    integer NOT NULL REFERENCES bank.accounts,
  amount_cents  bigint NOT NULL CHECK (amount_cents > 0),
  created_at    timestamptz NOT NULL DEFAULT now(),
  CHECK (from_account <> to_account)
);

CREATE INDEX IF NOT EXISTS transfers_from ON bank.transfers (from_account, id);
CREATE INDEX IF NOT EXISTS transfers_to ON bank.transfers (to_account, id);
`;
