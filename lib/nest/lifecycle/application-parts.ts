import type { ModulesContainer } from '@nestjs/core';

export type Module = ModulesContainer extends Map<string, infer M> ? M : never;

/** How Nest keeps a provider: its instances, and what it depends on. */
export type Wrapper = Module extends { providers: Map<unknown, infer W> } ? W : never;

/** Everything that an application is made of. */
export function* wrappersIn(modules: ModulesContainer): Generator<Wrapper> {
  for (const { providers, controllers, injectables, middlewares } of modules.values()) {
    for (const part of [providers, controllers, injectables, middlewares]) yield* part.values();
  }
}
