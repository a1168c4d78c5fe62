/** What must end before this process does, synchronously. */
export interface EndsAtExit {
  endSync(): void;
}

const guarded = new Set<EndsAtExit>();

/** Ends the server when this process exits by itself; sudden deaths are the guardian's business. */
export function endAtExit(server: EndsAtExit): void {
  if (guarded.size === 0) process.on('exit', endAll);
  guarded.add(server);
}

export function endedInOrder(server: EndsAtExit): void {
  guarded.delete(server);
  if (guarded.size === 0) process.off('exit', endAll);
}

function endAll(): void {
  for (const server of guarded) server.endSync();
}
