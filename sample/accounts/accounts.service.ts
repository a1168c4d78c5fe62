import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectPool, Pool } from 'nestjs-pools';
import type { AccountDto } from './dto/account.dto.js';
import type { BalanceDto } from './dto/balance.dto.js';
import type { CreateAccountDto } from './dto/create-account.dto.js';
import type { ListAccountsDto } from './dto/list-accounts.dto.js';

const ACCOUNT = `id, owner, balance_cents AS "balanceCents", created_at AS "createdAt"`;

/** Accounts as they are now: everything here goes to the primary. */
@Injectable()
export class AccountsService {
  constructor(@InjectPool() private readonly primary: Pool) {}

  async list({ after, limit }: ListAccountsDto): Promise<AccountDto[]> {
    const { rows } = await this.primary.query<AccountDto>(
      `SELECT ${ACCOUNT} FROM bank.accounts WHERE id > $1 ORDER BY id LIMIT $2`,
      [after, limit],
    );
    return rows;
  }

  async get(id: number): Promise<AccountDto> {
    const { rows } = await this.primary.query<AccountDto>(
      `SELECT ${ACCOUNT} FROM bank.accounts WHERE id = $1`,
      [id],
    );
    return rows[0] ?? this.refuseUnknown(id);
  }

  async balance(id: number): Promise<BalanceDto> {
    const { rows } = await this.primary.query<BalanceDto>(
      `SELECT id, balance_cents AS "balanceCents" FROM bank.accounts WHERE id = $1`,
      [id],
    );
    return rows[0] ?? this.refuseUnknown(id);
  }

  async create({ owner, openingCents }: CreateAccountDto): Promise<AccountDto> {
    const { rows } = await this.primary.query<AccountDto>(
      `INSERT INTO bank.accounts (owner, opening_cents, balance_cents) VALUES ($1, $2, $2)
       RETURNING ${ACCOUNT}`,
      [owner, openingCents],
    );
    return rows[0]!;
  }

  private refuseUnknown(id: number): never {
    throw new NotFoundException(`There is no account ${id}`);
  }
}
