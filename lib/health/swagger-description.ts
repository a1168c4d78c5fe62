import { SetMetadata } from '@nestjs/common';
import type { HealthRoute } from './pool-health-options.js';

/**
 * What @nestjs/swagger reads, by the keys that it reads it by: an application that has it finds the
 * routes described, and one that has not needs it no more than before.
 */
const KEYS = {
  operation: 'swagger/apiOperation',
  responses: 'swagger/apiResponse',
  tags: 'swagger/apiUseTags',
} as const;

interface Description {
  readonly summary: string;
  readonly description: string;
  readonly ok: readonly string[];
  readonly unavailable: readonly string[];
}

const DESCRIPTIONS = {
  all: {
    summary: 'How all pools are',
    description:
      '503 when a critical pool is down, at start and at shutdown. A busy pool is not down.',
    ok: ['ok', 'degraded'],
    unavailable: ['error', 'starting', 'shutting_down'],
  },
  live: {
    summary: 'Whether the process answers',
    description: 'Asks no database: a restart would not mend it.',
    ok: ['ok'],
    unavailable: [],
  },
  ready: {
    summary: 'Whether requests can be served',
    description: '503 when a critical pool is down, at start and at shutdown.',
    ok: ['ok', 'degraded'],
    unavailable: ['error', 'starting', 'shutting_down'],
  },
} as const satisfies Record<HealthRoute, Description>;

/** Puts the routes under a heading of their own. */
export const describeController: ClassDecorator = SetMetadata(KEYS.tags, ['health']);

/** Decorators that describe a route for Swagger; the application's own come after and win. */
export function describeRoute(route: HealthRoute): MethodDecorator[] {
  const { summary, description, ok, unavailable }: Description = DESCRIPTIONS[route];
  return [
    SetMetadata(KEYS.operation, { summary, description }),
    SetMetadata(KEYS.responses, {
      200: response('It can serve', ok),
      ...(unavailable.length > 0 && { 503: response('It cannot serve', unavailable) }),
    }),
  ];
}

function response(description: string, statuses: readonly string[]): object {
  const pools = { type: 'object', additionalProperties: { type: 'object' } };
  return {
    description,
    schema: {
      type: 'object',
      required: ['status'],
      properties: {
        status: { type: 'string', enum: [...statuses] },
        info: { ...pools, description: 'The pools that serve; for the authorized' },
        error: { ...pools, description: 'The pools that are down; for the authorized' },
        details: { ...pools, description: 'Both; for the authorized' },
      },
    },
  };
}
