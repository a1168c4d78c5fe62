import {
  Injectable,
  Logger,
  NotFoundException,
  UnprocessableEntityException,
} from '@nestjs/common';
import { afterCommit, InjectPool, Pool, Transactional } from 'nestjs-pools';
import { type Cents, MAX_CENTS } from '../money/cents.js';
import type { CreateTransferDto } from './dto/create-transfer.dto.js';
import type { TransferDto } from './dto/transfer.dto.js';

/** Moves money: all or nothing. */
@Injectable()
export class TransfersService {
  private readonly logger = new Logger(TransfersService.name);

  constructor(@InjectPool() private readonly primary: Pool) {}

  @Transactional({ timeoutMs: 5_000, retry: { attempts: 3 } })
  async transfer({ from, to, amountCents }: CreateTransferDto): Promise<TransferDto> {
    if (from === to) {
      throw new UnprocessableEntityException('A transfer needs two different accounts');
    }
    const balances = await this.lockBalances(from, to);
    this.refuseOverdraft(from, balances, amountCents);
    this.refuseOverflow(to, balances, amountCents);

    await this.primary.query(
      `UPDATE bank.accounts
          SET balance_cents = balance_cents + CASE id WHEN $1 THEN -$3::bigint ELSE $3::bigint END
        WHERE id IN ($1, $2)`,
      [from, to, amountCents],
    );
    const { rows } = await this.primary.query<TransferDto>(
      `INSERT INTO bank.transfers (from_account, to_account, amount_cents) VALUES ($1, $2, $3)
       RETURNING id, from_account AS "from", to_account AS "to", amount_cents AS "amountCents",
                 created_at AS "createdAt"`,
      [from, to, amountCents],
    );
    const [transfer] = rows as [TransferDto];
    // Whoever hears of it can rely on it: before COMMIT it may still come to nothing.
    await afterCommit(() => this.logger.log(`Transfer ${transfer.id} is booked`));
    return transfer;
  }

  /**
   * Locks both rows in the order of their numbers, whichever way the money goes: two opposite
   * transfers queue up instead of deadlocking. NO KEY, because the ledger's foreign keys take a share
   * lock on the same rows and need not wait for us.
   */
  private async lockBalances(from: number, to: number): Promise<Map<number, Cents>> {
    const { rows } = await this.primary.query<{ id: number; balance_cents: string }>(
      `SELECT id, balance_cents FROM bank.accounts
        WHERE id IN ($1, $2) ORDER BY id FOR NO KEY UPDATE`,
      [from, to],
    );
    return new Map(rows.map((row) => [row.id, BigInt(row.balance_cents)]));
  }

  private refuseOverdraft(from: number, balances: Map<number, Cents>, amount: Cents): void {
    const balance = this.balanceOf(from, balances);
    if (balance < amount) {
      throw new UnprocessableEntityException(
        `Account ${from} holds ${balance} cents, too little for a transfer of ${amount}`,
      );
    }
  }

  private refuseOverflow(to: number, balances: Map<number, Cents>, amount: Cents): void {
    if (this.balanceOf(to, balances) + amount > MAX_CENTS) {
      throw new UnprocessableEntityException(`Account ${to} cannot hold ${amount} cents more`);
    }
  }

  private balanceOf(account: number, balances: Map<number, Cents>): Cents {
    const balance = balances.get(account);
    if (balance === undefined) throw new NotFoundException(`There is no account ${account}`);
    return balance;
  }
}
