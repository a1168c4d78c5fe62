import { Injectable } from '@nestjs/common';
import { InjectPool, Pool, ReadOnly } from 'nestjs-pools';
import type { WeeklyReportQueryDto } from './dto/weekly-report-query.dto.js';
import type { WeekDto, WeeklyReportDto } from './dto/weekly-report.dto.js';

/** Heavy reading, on the replica's pool: however slow it gets, transfers never wait for its connections. */
@Injectable()
export class ReportsService {
  constructor(@InjectPool() private readonly primary: Pool) {}

  /** One transaction on the replica, both statements of one snapshot. */
  @ReadOnly({ isolation: 'repeatable read' })
  async weekly({ weeks, delaySeconds }: WeeklyReportQueryDto): Promise<WeeklyReportDto> {
    const { rows: answered } = await this.primary.query<{ standby: boolean }>(
      'SELECT pg_is_in_recovery() AS standby, pg_sleep($1)',
      [delaySeconds],
    );
    const { rows } = await this.primary.query<WeekDto>(
      `SELECT to_char(date_trunc('week', created_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD')
                AS "weekStarting",
              count(*)::integer AS transfers,
              count(DISTINCT from_account)::integer AS "payingAccounts",
              sum(amount_cents)::text AS "totalCents",
              round(avg(amount_cents))::text AS "averageCents",
              max(amount_cents) AS "largestCents"
         FROM bank.transfers
        GROUP BY 1
        ORDER BY 1 DESC
        LIMIT $1`,
      [weeks],
    );
    return { answeredBy: answered[0]?.standby ? 'standby' : 'primary', weeks: rows };
  }
}
