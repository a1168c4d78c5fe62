import { Injectable, NotFoundException, UnprocessableEntityException } from '@nestjs/common';
import { InjectPool, type LeasedClient, Pool } from 'nestjs-pools';
import { type Cents, MAX_CENTS } from '../money/cents.js';
import type { CreateTransferDto } from './dto/create-transfer.dto.js';
import type { TransferDto } from './dto/transfer.dto.js';

/** Moves money: a transaction by hand, on one connection of the primary. */
@Injectable()
export class TransfersService {
  constructor(@InjectPool() private readonly primary: Pool) {}

  transfer(request: CreateTransferDto): Promise<TransferDto> {
    if (request.from === request.to) {
      throw new UnprocessableEntityException('A transfer needs two different accounts');
    }
    return this.primary.use((lease) => this.inTransaction(lease, () => this.move(lease, request)), {
      label: 'TransfersService.transfer',
    });
  }

  private async inTransaction<T>(lease: LeasedClient, work: () => Promise<T>): Promise<T> {
    await lease.query('BEGIN');
    try {
      const result = await work();
      await lease.query('COMMIT');
      return result;
    } catch (error) {
      // When the connection itself is lost there is nothing to roll back, and the pool closes it:
      // the caller is to see what went wrong first.
      await lease.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  private async move(
    lease: LeasedClient,
    { from, to, amountCents }: CreateTransferDto,
  ): Promise<TransferDto> {
    const balances = await this.lockBalances(lease, from, to);
    this.refuseOverdraft(from, balances, amountCents);
    this.refuseOverflow(to, balances, amountCents);

    await lease.query(
      `UPDATE bank.accounts
          SET balance_cents = balance_cents + CASE id WHEN $1 THEN -$3::bigint ELSE $3::bigint END
        WHERE id IN ($1, $2)`,
      [from, to, amountCents],
    );
    const { rows } = await lease.query<TransferDto>(
      `INSERT INTO bank.transfers (from_account, to_account, amount_cents) VALUES ($1, $2, $3)
       RETURNING id, from_account AS "from", to_account AS "to", amount_cents AS "amountCents",
                 created_at AS "createdAt"`,
      [from, to, amountCents],
    );
    return rows[0]!;
  }

  /**
   * Locks both rows in the order of their numbers, whichever way the money goes: two opposite
   * transfers queue up instead of deadlocking. NO KEY, because the ledger's foreign keys take a share
   * lock on the same rows and need not wait for us.
   */
  private async lockBalances(
    lease: LeasedClient,
    from: number,
    to: number,
  ): Promise<Map<number, Cents>> {
    const { rows } = await lease.query<{ id: number; balance_cents: string }>(
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
