import type { SeenInstance } from './fleet-view.js';

/** `service:pool:instance`, as sessions of these pools are called; a fleet session has its claim. */
const NAME = /^(?<service>[^:]*):(?<pool>.*):(?<instance>[0-9a-f]{8})$/;
const CLAIM = /^fleet=(?<claim>\d+)$/;

/** What takes the place of the pool's name in the name of a fleet session. */
export function claimName(claim: number): string {
  return `fleet=${claim}`;
}

/** Brings the sessions of a service together by instance; strangers are left out. */
export function instancesIn(names: readonly string[], service: string): SeenInstance[] {
  const seen = new Map<string, { claim: number | undefined; sessions: number }>();
  for (const name of names) {
    const parts = NAME.exec(name)?.groups;
    if (parts?.['service'] !== service) continue;
    const instance = parts['instance']!;
    const known = seen.get(instance) ?? { claim: undefined, sessions: 0 };
    const claim = CLAIM.exec(parts['pool']!)?.groups?.['claim'];
    if (claim !== undefined) known.claim = Number(claim);
    known.sessions += 1;
    seen.set(instance, known);
  }
  return Array.from(seen, ([instance, { claim, sessions }]) => ({ instance, claim, sessions }));
}
