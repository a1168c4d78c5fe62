import { ApiProperty } from '@nestjs/swagger';
import { ApiCents } from '../../money/api-cents.decorator.js';

export class HistoryEntryDto {
  @ApiProperty({ description: 'Number of the transfer', example: '20000' })
  readonly transferId!: string;

  @ApiProperty({ enum: ['in', 'out'] })
  readonly direction!: 'in' | 'out';

  @ApiProperty({ description: 'Number of the other account', example: 2 })
  readonly counterparty!: number;

  @ApiCents('Money moved', '2500')
  readonly amountCents!: string;

  @ApiProperty()
  readonly createdAt!: Date;
}
