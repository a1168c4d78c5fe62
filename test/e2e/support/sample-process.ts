import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ChildProgram } from '../../support/child-program.js';

/** What `npm run build` makes and `npm start` runs. */
export const ENTRY = fileURLToPath(new URL('../../../dist/sample/main.js', import.meta.url));

const READY_WITHIN_MS = 60_000;

/** Starts the sample as `npm start` does, on a free port, led to no database but by what is given. */
export function runSample(
  environment: Readonly<Record<string, string | undefined>>,
  cwd = tmpdir(),
): ChildProgram {
  return ChildProgram.run(ENTRY, {
    cwd,
    env: {
      DATABASE_URL: undefined,
      DATABASE_REPLICA_URL: undefined,
      PORT: '0',
      SHUTDOWN_GRACE_MS: '0',
      NO_COLOR: '1',
      ...environment,
    },
  });
}

/** Waits for the welcome and gives the address that it names. */
export async function addressOf(sample: ChildProgram): Promise<string> {
  const [, address] = await sample.says(/The sample is ready: (http:\/\/\S+)/, READY_WITHIN_MS);
  return address!;
}
