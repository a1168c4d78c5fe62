import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** Refuses every login with an error whose every field is this text, its SQLSTATE included if asked. */
export async function hostileServer(
  text: string,
  sqlState = text,
): Promise<AsyncDisposable & { readonly port: number }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    socket.once('data', () => socket.end(errorResponse(text, sqlState)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const TEXT_FIELDS = ['M', 'D', 'H', 'q', 'W', 's', 't', 'c', 'd', 'n', 'F', 'R'];

/** https://www.postgresql.org/docs/current/protocol-error-fields.html */
function errorResponse(text: string, sqlState: string): Buffer {
  const fields = ['SFATAL', 'VFATAL', `C${sqlState}`, ...TEXT_FIELDS.map((field) => field + text)];
  const body = Buffer.from(`${fields.join('\0')}\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
