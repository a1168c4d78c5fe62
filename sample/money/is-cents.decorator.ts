import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { type Cents, centsFromRequest, MAX_CENTS } from './cents.js';

interface CentsInRequest {
  readonly min: Cents;
  readonly description: string;
  readonly example: number;
  /** Taken when the request leaves the amount out; without it the amount is required. */
  readonly default?: number;
}

/** An amount in a request body: a whole number of cents, as a JSON number or as a string of digits. */
export function IsCents({ min, ...documentation }: CentsInRequest): PropertyDecorator {
  return applyDecorators(
    ApiProperty({
      ...documentation,
      required: documentation.default === undefined,
      oneOf: [{ type: 'integer' }, { type: 'string', pattern: '^\\d+$' }],
    }),
    Transform(({ value }) => centsFromRequest(value)),
    ValidateBy({
      name: 'isCents',
      validator: {
        validate: (value: unknown) =>
          typeof value === 'bigint' && value >= min && value <= MAX_CENTS,
        defaultMessage: (about) =>
          `${about?.property} must be a whole number of cents, at least ${min}; ` +
          `send amounts above 2^53 as a string of digits`,
      },
    }),
  );
}
