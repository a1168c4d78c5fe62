import { ApiProperty } from '@nestjs/swagger';
import { ApiCents } from '../../money/api-cents.decorator.js';

export class WeekDto {
  @ApiProperty({ description: 'The Monday that the week began with (UTC)', example: '2026-01-05' })
  readonly weekStarting!: string;

  @ApiProperty({ example: 2016 })
  readonly transfers!: number;

  @ApiProperty({ description: 'Accounts that sent money', example: 100 })
  readonly payingAccounts!: number;

  @ApiCents('All money moved', '50000000')
  readonly totalCents!: string;

  @ApiCents('Mean of a transfer', '25000')
  readonly averageCents!: string;

  @ApiCents('The largest transfer', '49999')
  readonly largestCents!: string;
}

export class WeeklyReportDto {
  @ApiProperty({
    enum: ['primary', 'standby'],
    description: 'What answered: "primary" where no replica is configured',
  })
  readonly answeredBy!: 'primary' | 'standby';

  @ApiProperty({ type: [WeekDto] })
  readonly weeks!: WeekDto[];
}
