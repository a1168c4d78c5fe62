import pg from 'pg';

/** How generic pools open and close a pg client. */
export function pgFactory(connectionString) {
  return {
    async create() {
      const client = new pg.Client({ connectionString });
      // A pool would have to listen; an error here fails the statement that runs, and the measurement.
      client.on('error', () => {});
      await client.connect();
      return client;
    },
    destroy: (client) => client.end(),
  };
}
