import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

export class ReadHistoryDto {
  @ApiProperty({ type: 'integer', required: false, minimum: 1, maximum: 100, default: 20 })
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  readonly limit: number = 20;

  @ApiProperty({ required: false, description: 'Number of the last transfer of the page before' })
  @IsOptional()
  @Matches(/^\d{1,18}$/, { message: 'before must be the number of a transfer' })
  readonly before?: string;
}
