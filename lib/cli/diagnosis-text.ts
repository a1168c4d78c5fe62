import { type Finding, findingText } from '../doctor/finding.js';
import { ownerOf } from '../doctor/instances.js';
import type { SessionActivity, Standby } from '../doctor/server-activity.js';
import type { ServerFacts } from '../doctor/server-facts.js';
import { duration } from '../errors/duration.js';
import { describeAddress } from '../postgres/options/address.js';
import { allowancesOf } from '../sizing/allowance.js';
import { counted } from '../sizing/server-sizing.js';
import type { Diagnosis } from './diagnosis.js';
import { moduleOptionsText } from './options-text.js';

/** What the doctor says, for people. */
export function diagnosisText(diagnosis: Diagnosis): string {
  return [
    headline(diagnosis),
    ...section('Limits', limitLines(diagnosis.facts)),
    ...section(sessionsTitle(diagnosis.facts), sessionLines(diagnosis)),
    ...section('Idle in a transaction', diagnosis.activity.idleInTransaction.map(activityLine)),
    ...section('Longest statements', diagnosis.activity.statements.map(activityLine)),
    ...section('Replication', replicationLines(diagnosis)),
    ...section('Findings', diagnosis.findings.map(findingLine)),
    ...section('Options to paste', optionLines(diagnosis)),
    '',
    `Verdict: ${verdictText(diagnosis)}`,
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

function headline({ address, facts, pooler }: Diagnosis): string {
  const kind = facts.isReplica ? 'a replica' : 'a primary';
  const way = pooler
    ? `asked through a pooler (${poolerText(pooler)})`
    : 'asked directly, no pooler in between';
  return `PostgreSQL ${facts.version} at ${describeAddress(address)}: ${kind}, ${way}`;
}

function poolerText({ version, mode }: NonNullable<Diagnosis['pooler']>): string {
  const name = version ?? 'PgBouncer, or one like it';
  return mode === undefined ? name : `${name}, pool_mode ${mode}`;
}

function limitLines(facts: ServerFacts): string[] {
  const { limits, user, database } = facts;
  const { maxConnections, superuserReserved, reserved, roleLimit, databaseLimit } = limits;
  const most = Math.min(...allowancesOf(limits).map(({ limit }) => limit));
  return table([
    [
      'max_connections',
      `${maxConnections}, ${superuserReserved} reserved for superusers` +
        (reserved > 0 ? `, ${reserved} for pg_use_reserved_connections` : ''),
    ],
    [`role ${user}`, `${limitOf(roleLimit)}${limits.isSuperuser ? ', superuser' : ''}`],
    [`database ${database}`, limitOf(databaseLimit)],
    ['together', `${counted(most, 'session')} at most for this role here`],
    ['statement_timeout', limitTime(facts.statementTimeoutMs)],
    ['lock_timeout', limitTime(facts.lockTimeoutMs)],
    ['idle_in_transaction_session_timeout', limitTime(facts.idleInTransactionTimeoutMs)],
    ['idle_session_timeout', limitTime(facts.idleSessionTimeoutMs)],
  ]);
}

function sessionsTitle({ sessions, limits }: ServerFacts): string {
  const open = sessions.reduce((sum, { count }) => sum + count, 0);
  return `Sessions: ${open} of ${limits.maxConnections}`;
}

function sessionLines({ facts, activity }: Diagnosis): string[] {
  const owners = new Map<string, { instances: Set<string>; states: Map<string, number> }>();
  for (const { application, state = 'not shown to this role', count } of facts.sessions) {
    const { name, instance } = ownerOf(application);
    const owner = owners.get(name) ?? { instances: new Set(), states: new Map<string, number>() };
    if (instance !== undefined) owner.instances.add(instance);
    owner.states.set(state, (owner.states.get(state) ?? 0) + count);
    owners.set(name, owner);
  }
  const lines = [...owners].map(([name, { instances, states }]): [string, string] => [
    instances.size === 0 ? name : `${name} (${counted(instances.size, 'instance')})`,
    [...states].map(([state, count]) => `${count} ${state}`).join(', '),
  ]);
  const { waitingForLocks, hidden } = activity;
  return [
    ...table(lines),
    ...(waitingForLocks > 0 ? [`  ${counted(waitingForLocks, 'session')} waiting for a lock`] : []),
    ...(hidden > 0
      ? [`  what ${counted(hidden, 'session')} of other roles do is shown to members of pg_monitor`]
      : []),
  ];
}

function activityLine({ backend, application, user, ms, statement }: SessionActivity): string {
  return `  ${duration(ms)}, backend ${backend}, ${ownerOf(application).name}, role ${user}: ${statement}`;
}

function replicationLines({ facts, role, activity }: Diagnosis): string[] {
  if (facts.isReplica) {
    const lag = role.lagMs === undefined ? 'it cannot say how far' : duration(role.lagMs);
    const bytes = role.lagBytes === undefined ? '' : ` and ${role.lagBytes} bytes`;
    return [`  behind its primary: ${lag}${bytes}`];
  }
  return activity.standbys.map(standbyLine);
}

function standbyLine({ application, state, lagMs, lagBytes }: Standby): string {
  if (state === undefined) return `  ${application}: not shown to this role`;
  const bytes = lagBytes === undefined ? '' : `, ${lagBytes} bytes behind`;
  return `  ${application}: ${state}${bytes}${lagMs === undefined ? '' : `, ${duration(lagMs)} late`}`;
}

function findingLine(finding: Finding): string {
  return `  ${finding.level}: ${findingText(finding)}`;
}

function optionLines({ recommended, facts, instances }: Diagnosis): string[] {
  const { sizing, primary, needsPooler } = recommended;
  return [
    facts.isPooled
      ? '  the limits above are for the connections of the pooler; the pools may be larger than those'
      : `  ${roomText(recommended, instances)}`,
    ...(needsPooler && !facts.isPooled
      ? ['  that is not enough for every instance: put a pooler such as PgBouncer in between']
      : []),
    '',
    moduleOptionsText(sizing, [['primary', primary]]),
  ];
}

function roomText(
  { room, sizing }: Diagnosis['recommended'],
  { count, by }: Diagnosis['instances'],
): string {
  const source = { given: 'as given', seen: 'seen', default: '--instances tells of more' }[by];
  const cores = sizing ? '' : '; with --cores it says how many of them the server can work on';
  return (
    `for ${counted(count, 'instance')} (${source}): up to ${room} in each beside its admin pool` +
    ` stay within 70 % of the limits${cores}`
  );
}

function verdictText({ findings }: Diagnosis): string {
  const warnings = findings.filter(({ level }) => level === 'warning').length;
  const advice = findings.length - warnings;
  if (findings.length === 0) return 'fine';
  const told = advice === 0 ? '' : ` and ${counted(advice, 'piece')} of advice`;
  return warnings === 0
    ? `nothing to warn of${told.replace(' and', ',')}`
    : `${counted(warnings, 'warning')}${told}`;
}

function limitOf(limit: number | undefined): string {
  return limit === undefined ? 'no limit of its own' : `CONNECTION LIMIT ${limit}`;
}

function limitTime(ms: number): string {
  return ms === 0 ? 'off' : duration(ms);
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(44, Math.max(0, ...rows.map(([name]) => name.length)));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}
