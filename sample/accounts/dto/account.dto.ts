import { ApiProperty } from '@nestjs/swagger';
import { ApiCents } from '../../money/api-cents.decorator.js';

export class AccountDto {
  @ApiProperty({ example: 1 })
  readonly id!: number;

  @ApiProperty({ example: 'Ada Lovelace' })
  readonly owner!: string;

  @ApiCents('Money on the account', '1000000')
  readonly balanceCents!: string;

  @ApiProperty()
  readonly createdAt!: Date;
}
