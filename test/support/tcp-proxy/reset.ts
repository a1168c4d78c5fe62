import type { Socket } from 'node:net';

/**
 * Sends RST and nothing else. Node's own `resetAndDestroy()` ends the stream first, so that a FIN
 * goes ahead of the RST and the peer sees an orderly end; what it does afterwards is done here at once.
 */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  if (!socket.connecting) (socket as Socket & { resetAndClosing: boolean }).resetAndClosing = true;
  socket.destroy();
}
