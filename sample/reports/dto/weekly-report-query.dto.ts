import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsNumber, Max, Min } from 'class-validator';

export class WeeklyReportQueryDto {
  @ApiProperty({ type: 'integer', required: false, minimum: 1, maximum: 52, default: 8 })
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(52)
  readonly weeks: number = 8;

  @ApiProperty({
    type: 'number',
    required: false,
    minimum: 0,
    maximum: 10,
    default: 0,
    description: 'Makes the report slow on purpose: it holds its connection this much longer',
  })
  @Type(() => Number)
  @IsNumber()
  @Min(0)
  @Max(10)
  readonly delaySeconds: number = 0;
}
