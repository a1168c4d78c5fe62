import type { SessionGroup } from './server-facts.js';

/** Who has sessions, as their `application_name` says. */
export interface SessionOwner {
  /** `service:pool` of an application with these pools, else the name as it is. */
  readonly name: string;
  /** Which process of it; undefined of others. */
  readonly instance: string | undefined;
}

/** Pools of the module call their sessions `service:pool:instance`. */
const OURS = /^(.+:.+):([0-9a-f]{8})$/s;

export function ownerOf(application: string): SessionOwner {
  const [, name, instance] = OURS.exec(application) ?? [];
  if (name !== undefined) return { name, instance };
  return { name: application === '' ? '(no name)' : application, instance: undefined };
}

/** How many processes have sessions of such pools, whatever they are called. */
export function instancesSeen(sessions: readonly SessionGroup[]): number {
  const seen = sessions.flatMap(({ application }) => ownerOf(application).instance ?? []);
  return new Set(seen).size;
}
