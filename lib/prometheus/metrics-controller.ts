import {
  type CanActivate,
  Controller,
  Get,
  Res,
  type Type,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import type { Registry } from 'prom-client';

/** What the answers of Express and Fastify have in common. */
interface Response {
  header(name: string, value: string): unknown;
}

/** Makes the controller that answers a scrape; of its own for each application. */
export function metricsController(
  path: string,
  guards: readonly (Type<CanActivate> | CanActivate)[],
  registry: Registry,
): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(...guards)
  class PoolMetricsController {
    @Get()
    scrape(@Res({ passthrough: true }) response: Response): Promise<string> {
      response.header('Content-Type', registry.contentType);
      return registry.metrics();
    }
  }
  return PoolMetricsController;
}
