import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';

/** The largest value of PostgreSQL's `integer`: a larger one would be refused by the server (22003). */
const MAX_ID = 2_147_483_647;

/** Number of an account, in a path or in a body. */
export function IsAccountId(example = 1): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_ID, example }),
    Type(() => Number),
    IsInt(),
    Min(1),
    Max(MAX_ID),
  );
}
