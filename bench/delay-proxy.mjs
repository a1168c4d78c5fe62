import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const HOST = '127.0.0.1';

/**
 * Makes connecting slow, as a distant server with TLS and a busy authentication does: a connection
 * is forwarded at full speed once it has been kept waiting.
 */
export async function startDelayProxy(target, connectMs) {
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
      join(client, upstream);
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

function join(client, upstream) {
  client.pipe(upstream).pipe(client);
  client.on('close', () => upstream.destroy());
  upstream.on('close', () => client.destroy());
}
