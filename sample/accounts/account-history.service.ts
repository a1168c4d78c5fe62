import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectPool, Pool } from 'nestjs-pools';
import type { HistoryEntryDto } from './dto/history-entry.dto.js';
import type { ReadHistoryDto } from './dto/read-history.dto.js';

/** What happened on an account, read from the replica: it may be a moment behind, and spares the primary. */
@Injectable()
export class AccountHistoryService {
  constructor(@InjectPool('replica') private readonly replica: Pool) {}

  async read(id: number, { limit, before }: ReadHistoryDto): Promise<HistoryEntryDto[]> {
    const { rows } = await this.replica.query<HistoryEntryDto>(
      `SELECT id AS "transferId",
              CASE WHEN to_account = $1 THEN 'in' ELSE 'out' END AS direction,
              CASE WHEN to_account = $1 THEN from_account ELSE to_account END AS counterparty,
              amount_cents AS "amountCents",
              created_at AS "createdAt"
         FROM bank.transfers
        WHERE (from_account = $1 OR to_account = $1) AND ($2::bigint IS NULL OR id < $2)
        ORDER BY id DESC
        LIMIT $3`,
      [id, before ?? null, limit],
    );
    if (rows.length === 0) await this.refuseUnknown(id);
    return rows;
  }

  private async refuseUnknown(id: number): Promise<void> {
    const { rowCount } = await this.replica.query('SELECT FROM bank.accounts WHERE id = $1', [id]);
    if (rowCount === 0) throw new NotFoundException(`The replica knows no account ${id}`);
  }
}
