import { inspect } from 'node:util';

/** Options of the module as code to paste. */
export function moduleOptionsText(
  sizing: object | undefined,
  pools: readonly (readonly [name: string, options: object])[],
): string {
  return [
    '  PoolModule.forRoot({',
    ...(sizing ? [`    sizing: ${literal(sizing)},`] : []),
    '    pools: {',
    ...pools.map(([name, options]) => `      ${keyText(name)}: ${literal(options)},`),
    '    },',
    '  })',
  ].join('\n');
}

function literal(value: object): string {
  return inspect(value, { breakLength: Infinity, depth: null });
}

function keyText(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : inspect(name);
}
