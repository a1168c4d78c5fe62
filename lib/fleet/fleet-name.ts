import type { SeenInstance } from './fleet-view.js';

/** `service:pool:instance`, as sessions of these pools are called; a fleet session has its claim. */
const NAME = /^(?<service>[^:]*):(?<pool>.*):(?<instance>[0-9a-f]{8})$/;
const CLAIM = /^fleet=(?<claim>\d+)$/;

/** What takes the place of the pool's name in the name of a fleet session. */
export function claimName(claim: number): string {
  return `fleet=${claim}`;
}

/** The names of an instance's fleet sessions, for LIKE. */
export function fleetNamePattern(service: string, instance: string): string {
  return `${service.replaceAll(/[\\%_]/g, String.raw`\$&`)}:fleet=%:${instance}`;
}

/** What the fleet session of this name claims, of whichever service; undefined: it is none. */
export function claimOf(name: string): number | undefined {
  const claim = CLAIM.exec(NAME.exec(name)?.groups?.['pool'] ?? '')?.groups?.['claim'];
  return claim === undefined ? undefined : Number(claim);
}

/** Brings the sessions of a service together by instance; strangers are left out. */
export function instancesIn(names: readonly string[], service: string): SeenInstance[] {
  const seen = new Map<string, { claim: number | undefined; sessions: number }>();
  for (const name of names) {
    const parts = NAME.exec(name)?.groups;
    if (parts?.['service'] !== service) continue;
    const instance = parts['instance']!;
    const known = seen.get(instance) ?? { claim: undefined, sessions: 0 };
    const claim = claimOf(name);
    // Of one that has come back, the session before may still be there: either may be the larger.
    if (claim !== undefined) known.claim = Math.max(known.claim ?? 0, claim);
    known.sessions += 1;
    seen.set(instance, known);
  }
  return Array.from(seen, ([instance, { claim, sessions }]) => ({ instance, claim, sessions }));
}

/** Those of fleet sessions alone: behind a pooler the others are not what instances hold. */
export function onlyFleetSessions(names: readonly string[]): string[] {
  return names.filter((name) => claimOf(name) !== undefined);
}
