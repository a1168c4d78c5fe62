import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';
import type { Cents } from '../../money/cents.js';
import { IsCents } from '../../money/is-cents.decorator.js';

export class CreateAccountDto {
  @ApiProperty({ minLength: 1, maxLength: 100, example: 'Grace Hopper' })
  @IsString()
  @Length(1, 100)
  readonly owner!: string;

  @IsCents({ min: 0n, description: 'Money to start with, in cents', example: 50_000, default: 0 })
  readonly openingCents: Cents = 0n;
}
