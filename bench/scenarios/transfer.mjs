const ACCOUNTS = 10_000;

const MOVE = 'UPDATE account SET balance = balance + $1 WHERE id = $2';
const NOTE = 'INSERT INTO entry (account, amount) VALUES ($1, $2)';

/**
 * The statements of one transaction. One changes an account; two also note that; four take from one
 * account what they add to another, in the order of the accounts, so that nobody ever deadlocks.
 */
export const TRANSFERS = {
  1: () => [move(anyAccount(), 1)],

  2() {
    const account = anyAccount();
    return [move(account, 1), note(account, 1)];
  },

  4() {
    const first = anyAccount();
    const second = first === ACCOUNTS ? first : first + 1;
    return [move(first, -1), move(second, 1), note(first, -1), note(second, 1)];
  },
};

function anyAccount() {
  return 1 + Math.floor(Math.random() * ACCOUNTS);
}

function move(account, amount) {
  return { text: MOVE, values: [amount, account] };
}

function note(account, amount) {
  return { text: NOTE, values: [account, amount] };
}
