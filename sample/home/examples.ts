export interface Example {
  readonly shows: string;
  readonly command: string;
}

/** What to try, as lines for a shell: printed at the start, and shown on the home page. */
export function examples(baseUrl: string): Example[] {
  const json = `-H 'Content-Type: application/json'`;
  return [
    { shows: 'an account', command: `curl -s ${baseUrl}/accounts/1` },
    {
      shows: 'move 25.00 from account 1 to account 2',
      command: `curl -s ${baseUrl}/transfers ${json} -d '{"from":1,"to":2,"amountCents":2500}'`,
    },
    {
      shows: 'the balance after it, from the primary',
      command: `curl -s ${baseUrl}/accounts/1/balance`,
    },
    {
      shows: 'the latest transfers, from the replica',
      command: `curl -s '${baseUrl}/accounts/1/history?limit=3'`,
    },
    {
      shows: 'too little money: 422',
      command: `curl -si ${baseUrl}/transfers ${json} -d '{"from":1,"to":2,"amountCents":999999999}'`,
    },
    {
      shows: 'a slow report on the replica; stop the application meanwhile: it is still answered',
      command: `curl -s '${baseUrl}/reports/weekly?weeks=4&delaySeconds=5'`,
    },
    { shows: 'the pools, and whether the database answers', command: `curl -s ${baseUrl}/health` },
    { shows: 'the numbers of the pools, for Prometheus', command: `curl -s ${baseUrl}/metrics` },
  ];
}
