import { partsIn, serverChoice } from './connection-config.js';
import type { GivenHost } from './host-list.js';
import type { OptionName } from './option-table.js';
import type { ReadOptions } from './read-options.js';

interface HostProblem {
  readonly option: string;
  readonly message: string;
}

/** What is wrong between `hosts`, what else says where the servers are, and what they have to be. */
export function hostProblems(read: ReadOptions): HostProblem[] {
  const { values, labels } = read;
  const label = (name: OptionName): string => labels.get(name) ?? name;
  const choice = serverChoice(values);
  const problem = (name: OptionName, other: string): HostProblem => ({
    option: label(name),
    message: `${label(name)} is set, and so is ${other}; remove one of the two`,
  });

  const url = label('connectionString');
  const repeated = (['hosts', 'role', 'loadBalanceHosts'] as const)
    .filter((name) => labels.has(name))
    .filter((name) => Object.hasOwn(choice, name) || (name === 'hosts' && namesHost(values)))
    .map((name) => problem(name, `the same in ${url}`));

  const hosts = (values.get('hosts') ?? choice.hosts) as readonly GivenHost[] | undefined;
  if (!hosts) return repeated;
  const place = choice.hosts ? `a list of hosts in ${url}` : label('hosts');
  return [
    ...repeated,
    ...(labels.has('host') ? [problem('host', place)] : []),
    ...(labels.has('port') && hosts.every(({ port }) => port !== undefined)
      ? [problem('port', `a port of every host in ${place}`)]
      : []),
  ];
}

function namesHost(values: ReadOptions['values']): boolean {
  return partsIn(values).host !== undefined;
}
