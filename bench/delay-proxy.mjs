import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { joinDistant } from './distance.mjs';

const HOST = '127.0.0.1';

/**
 * Makes a server slow to reach. `connectMs` is how long a new connection is kept waiting, as by TLS
 * and a busy authentication; `roundTripMs` is how much later every answer comes, as by a network.
 */
export async function startDelayProxy(target, { connectMs = 0, roundTripMs = 0 }) {
  const sockets = new Set();
  const adopt = (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    // How a connection ends is nobody's concern here: both sides are closed in any case.
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };

  const server = createServer((client) => {
    adopt(client);
    setTimeout(() => {
      if (client.destroyed) return;
      const upstream = connect({ host: target.host, port: target.port });
      adopt(upstream);
      join(client, upstream, roundTripMs);
    }, connectMs);
  });
  server.listen(0, HOST);
  await once(server, 'listening');

  return {
    host: HOST,
    port: server.address().port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function join(client, upstream, roundTripMs) {
  if (roundTripMs === 0) client.pipe(upstream).pipe(client);
  else joinDistant(client, upstream, roundTripMs / 2);
  client.on('close', () => upstream.destroy());
  upstream.on('close', () => client.destroy());
}
