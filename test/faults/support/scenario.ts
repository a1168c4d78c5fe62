import type { PostgresServer } from '../../support/postgres/postgres-server.js';
import type { Subject } from './subject.js';
import { TestBed } from './test-bed.js';

/** Something bad that happens, and what is measured while it does. */
export interface Scenario<Measured> {
  /** The first column of the table. */
  readonly what: string;
  run(bed: TestBed): Promise<Measured>;
  /** One cell of the table: figures, not judgement. */
  tell(measured: Measured): string;
}

/** Types a scenario by what its `run` measures. */
export function scenario<Measured>(parts: Scenario<Measured>): Scenario<Measured> {
  return parts;
}

/** Runs a scenario on ground of its own. */
export async function measure<Measured>(
  { run }: Scenario<Measured>,
  subject: Subject,
  server: PostgresServer,
): Promise<Measured> {
  await using bed = await TestBed.open(subject, server);
  return await run(bed);
}
