import { ApiProperty } from '@nestjs/swagger';
import { ApiCents } from '../../money/api-cents.decorator.js';

export class BalanceDto {
  @ApiProperty({ example: 1 })
  readonly id!: number;

  @ApiCents('Money on the account', '1000000')
  readonly balanceCents!: string;
}
