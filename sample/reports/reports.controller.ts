import { Controller, Get, Query } from '@nestjs/common';
import { ApiBadRequestResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { WeeklyReportQueryDto } from './dto/weekly-report-query.dto.js';
import { WeeklyReportDto } from './dto/weekly-report.dto.js';
import { ReportsService } from './reports.service.js';

@ApiTags('reports')
@Controller('reports')
export class ReportsController {
  constructor(private readonly reports: ReportsService) {}

  @Get('weekly')
  @ApiOperation({
    summary: 'Transfers by week, newest first, from the replica',
    description:
      'A slow report by choice: `delaySeconds` shows what a long query does to the pool.',
  })
  @ApiResponse({ status: 200, type: WeeklyReportDto })
  @ApiBadRequestResponse({ description: 'The request is malformed; the answer lists every fault' })
  weekly(@Query() query: WeeklyReportQueryDto): Promise<WeeklyReportDto> {
    return this.reports.weekly(query);
  }
}
