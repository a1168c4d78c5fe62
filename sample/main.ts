import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';
import { serverConfig } from './config/server.config.js';
import { configureApp } from './configure-app.js';
import { provideDatabases } from './start/databases.js';
import { asPortInUse, requireFreePort } from './start/require-free-port.js';
import { STOP_SIGNALS, StopRequests } from './start/stop-requests.js';
import { stopWhenLeftBehind } from './start/stop-when-left-behind.js';
import { welcome } from './start/welcome.js';

const logger = new Logger('Sample');

async function start(): Promise<void> {
  const stopRequests = new StopRequests();
  stopWhenLeftBehind();
  const server = serverConfig();
  await requireFreePort(server);
  const databases = await stopRequests.holdDuring(provideDatabases);

  const app = await NestFactory.create(AppModule, { abortOnError: false });
  configureApp(app);
  // Leaving by process.exit() makes the exit code 0: the process was asked to stop, and did.
  app.enableShutdownHooks([...STOP_SIGNALS], { useProcessExit: true });

  await app.listen(server.port, server.host).catch((error: unknown) => {
    throw asPortInUse(error, server);
  });
  stopRequests.leaveTo(() =>
    logger.log('Stopping: what is running is still answered (Ctrl-C again stops at once)'),
  );
  console.log(welcome(await app.getUrl(), databases));
}

try {
  await start();
} catch (error) {
  // What can be expected to go wrong has a code, and a message that says it all; a fault shows its stack.
  logger.error(error instanceof Error && 'code' in error ? error.message : error);
  process.exit(1);
}
