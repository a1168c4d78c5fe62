import { ApiProperty } from '@nestjs/swagger';
import { ApiCents } from '../../money/api-cents.decorator.js';

export class TransferDto {
  @ApiProperty({ example: '20001' })
  readonly id!: string;

  @ApiProperty({ example: 1 })
  readonly from!: number;

  @ApiProperty({ example: 2 })
  readonly to!: number;

  @ApiCents('Money moved', '2500')
  readonly amountCents!: string;

  @ApiProperty()
  readonly createdAt!: Date;
}
