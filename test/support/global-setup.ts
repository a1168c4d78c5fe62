import { register } from 'node:module';

// The runner compiles this file alone: what it imports needs a loader.
register('./typescript-loader/hooks.js', import.meta.url);

export default async function globalSetup(): Promise<void> {
  const { startSharedServer } = await import('./shared-server.js');
  await startSharedServer();
}
