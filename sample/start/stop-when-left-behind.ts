const CHECK_EVERY_MS = 250;

/**
 * Stops when `npm start` is gone.
 *
 * npm runs the sample by way of a shell, and a shell that SIGTERM ends passes nothing on: whoever
 * stops npm would leave the sample running, with the port and the database that it holds.
 */
export function stopWhenLeftBehind(): void {
  if (process.env.npm_lifecycle_event !== 'start') return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, CHECK_EVERY_MS);
  watch.unref();
}
