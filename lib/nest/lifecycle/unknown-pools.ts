import 'reflect-metadata';
import type { ModulesContainer } from '@nestjs/core';
import { type Module, type Wrapper, wrappersIn } from './application-parts.js';
import type { PoolRegistry } from '../pool-registry.js';
import { getPoolToken, requestedPoolNamesBeside } from '../pool.tokens.js';
import { declaredPools } from '../transactional/declared-pools.js';

/** Where `@Inject()` and `@Optional()` note what they were told, in Nest 11 and 12. */
const PARAMETERS = 'self:paramtypes';
const OPTIONAL_PARAMETERS = 'optional:paramtypes';
const PROPERTIES = 'self:properties_metadata';
const OPTIONAL_PROPERTIES = 'optional:properties_metadata';

/**
 * Refuses an application that asks for a pool which it has not registered. Those that are injected
 * Nest meets itself as it makes the providers, but for those of a request, and of nobody yet; those
 * that transactions are begun on nobody would meet before a call.
 *
 * @param own the module that provides the pools, and a refusal for every name it does not know
 * @throws UnknownPoolError
 */
export function refuseUnknownPools(
  modules: ModulesContainer,
  own: Module,
  registry: PoolRegistry,
): void {
  const wrappers = [...wrappersIn(modules)];
  const injected = new Set<unknown>(wrappers.flatMap((wrapper) => tokensOf(wrapper)));
  const others = [...modules.values()].filter((module) => module !== own);
  for (const name of requestedPoolNamesBeside(registry.names())) {
    const token = getPoolToken(name);
    const isRefused = own.providers.get(token)?.isTransient;
    // A test may provide by itself what the code under test injects.
    const isProvided = others.some(({ providers }) => providers.has(token));
    // Called for its error.
    if (injected.has(token) && isRefused && !isProvided) registry.get(name);
  }
  for (const prototype of new Set(wrappers.map((wrapper) => prototypeOf(wrapper)))) {
    for (const { pool, place } of declaredPools(prototype)) registry.get(pool, place);
  }
}

/** Where a provider has its methods: of one that a factory has made, or a test, nothing else tells. */
function prototypeOf({ inject, metatype, instance }: Wrapper): object | null {
  if (!inject && metatype) return metatype.prototype as object;
  const isObject = typeof instance === 'object' && instance !== null;
  return isObject ? (Object.getPrototypeOf(instance) as object | null) : null;
}

/** What a provider asks for by a token, and cannot do without. */
function tokensOf({ inject, metatype }: Wrapper): unknown[] {
  if (inject) return inject.filter((wanted) => typeof wanted !== 'object');
  return metatype ? [...parameterTokens(metatype), ...propertyTokens(metatype)] : [];
}

function parameterTokens(metatype: object): unknown[] {
  const optional = notes<number>(OPTIONAL_PARAMETERS, metatype);
  return notes<{ index: number; param: unknown }>(PARAMETERS, metatype)
    .filter(({ index }) => !optional.includes(index))
    .map(({ param }) => param);
}

function propertyTokens(metatype: object): unknown[] {
  const optional = notes<string | symbol>(OPTIONAL_PROPERTIES, metatype);
  return notes<{ key: string | symbol; type: unknown }>(PROPERTIES, metatype)
    .filter(({ key }) => !optional.includes(key))
    .map(({ type }) => type);
}

function notes<T>(key: string, metatype: object): T[] {
  return (Reflect.getMetadata(key, metatype) as T[] | undefined) ?? [];
}
