/** Runs in the process of the set-up, whose loader and server it meets again. */
export default async function globalTeardown(): Promise<void> {
  const { stopSharedServer } = await import('./shared-server.js');
  await stopSharedServer();
}
