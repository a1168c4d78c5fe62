import {
  Controller,
  Get,
  Header,
  Inject,
  Req,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HealthAnswers } from './health-answers.js';
import type { HealthRequest, HealthRoute, PoolHealthRoutes } from './pool-health-options.js';
import { describeController, describeRoute } from './swagger-description.js';

const DEFAULT_PATHS: Readonly<Record<HealthRoute, string>> = {
  all: 'health',
  live: 'health/live',
  ready: 'health/ready',
};

const ROUTES = Object.keys(DEFAULT_PATHS) as HealthRoute[];

/**
 * The controller of the routes, made for each module anew because paths, guards and decorators are
 * metadata of its own. It knows no HTTP adapter: 200 is what is returned, 503 what is thrown.
 */
export function healthController({ paths, guards, decorators = [] }: PoolHealthRoutes): Type {
  class PoolHealthController {
    constructor(private readonly answers: HealthAnswers) {}

    all(request: HealthRequest) {
      return this.answers.all(request, guardsOf('all', guards).length > 0);
    }

    live() {
      return this.answers.live();
    }

    ready(request: HealthRequest) {
      return this.answers.ready(request, guardsOf('ready', guards).length > 0);
    }
  }

  // A probe asks without a version, whatever the application makes of versions.
  Controller({ path: '', version: VERSION_NEUTRAL })(PoolHealthController);
  describeController(PoolHealthController);
  Inject(HealthAnswers)(PoolHealthController, undefined, 0);
  for (const route of ROUTES) {
    const path = paths?.[route] ?? DEFAULT_PATHS[route];
    if (path === false) continue;
    if (route !== 'live') Req()(PoolHealthController.prototype, route, 0);
    decorate(PoolHealthController.prototype, route, [
      Get(path),
      Header('Cache-Control', 'no-store'),
      UseGuards(...guardsOf(route, guards)),
      ...describeRoute(route),
      ...decorators,
    ]);
  }
  return PoolHealthController;
}

/** Whether a word of a guard decides who sees the details of a route that has them. */
export function hasGuards({ guards }: PoolHealthRoutes): boolean {
  return guardsOf('all', guards).length > 0 || guardsOf('ready', guards).length > 0;
}

function guardsOf(route: HealthRoute, guards: PoolHealthRoutes['guards'] = []) {
  return 'length' in guards ? guards : (guards[route] ?? []);
}

function decorate(
  prototype: object,
  route: HealthRoute,
  decorators: readonly MethodDecorator[],
): void {
  let descriptor = Object.getOwnPropertyDescriptor(prototype, route)!;
  for (const decorator of decorators) {
    descriptor = decorator(prototype, route, descriptor) ?? descriptor;
  }
  Object.defineProperty(prototype, route, descriptor);
}
