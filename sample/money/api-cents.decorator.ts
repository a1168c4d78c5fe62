import { ApiProperty } from '@nestjs/swagger';

/** An amount in an answer: a string of digits, so that no client rounds it to a double. */
export function ApiCents(description: string, example: string): PropertyDecorator {
  return ApiProperty({ type: String, description: `${description}, in cents`, example });
}
