import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Pool } from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';

/** AuthenticationOk, BackendKeyData and ReadyForQuery. */
const LET_IN = Buffer.from(
  'R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\0\x01\0\0\0\x01Z\0\0\0\x05I',
  'latin1',
);

const FIELDS = Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0', 'latin1');
const ENDED = Buffer.concat([Buffer.from([0x45, 0, 0, 0, FIELDS.length + 4]), FIELDS]);

describe('a session that is told its end in the same breath in which it is let in', () => {
  it('is closed and never lent, although its socket stays open', async () => {
    const open = new Set<Socket>();
    const server = createServer((socket) => {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => open.delete(socket));
      socket.once('data', () => socket.write(Buffer.concat([LET_IN, ENDED])));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const pool = new Pool({ host: '127.0.0.1', port, acquireTimeoutMs: 300, max: 2 });

    try {
      await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'POOL_ACQUIRE_TIMEOUT' });
      expect(pool.stats().counters).toMatchObject({ acquires: 0, created: 0 });
    } finally {
      await pool.drain(0);
      await eventually(() => expect(open.size).toBe(0));
      server.close();
    }
  });
});
