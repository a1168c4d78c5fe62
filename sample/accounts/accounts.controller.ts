import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiNotFoundResponse,
  ApiOperation,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { AccountHistoryService } from './account-history.service.js';
import { AccountsService } from './accounts.service.js';
import { AccountDto } from './dto/account.dto.js';
import { AccountParamsDto } from './dto/account-params.dto.js';
import { BalanceDto } from './dto/balance.dto.js';
import { CreateAccountDto } from './dto/create-account.dto.js';
import { HistoryEntryDto } from './dto/history-entry.dto.js';
import { ListAccountsDto } from './dto/list-accounts.dto.js';
import { ReadHistoryDto } from './dto/read-history.dto.js';

@ApiTags('accounts')
@ApiBadRequestResponse({ description: 'The request is malformed; the answer lists every fault' })
@Controller('accounts')
export class AccountsController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly history: AccountHistoryService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Accounts in the order of their numbers, a page at a time' })
  @ApiResponse({ status: 200, type: [AccountDto] })
  list(@Query() page: ListAccountsDto): Promise<AccountDto[]> {
    return this.accounts.list(page);
  }

  @Post()
  @ApiOperation({ summary: 'Open an account' })
  @ApiResponse({ status: 201, type: AccountDto })
  create(@Body() account: CreateAccountDto): Promise<AccountDto> {
    return this.accounts.create(account);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One account' })
  @ApiResponse({ status: 200, type: AccountDto })
  @ApiNotFoundResponse({ description: 'There is no such account' })
  get(@Param() { id }: AccountParamsDto): Promise<AccountDto> {
    return this.accounts.get(id);
  }

  @Get(':id/balance')
  @ApiOperation({
    summary: 'The balance, from the primary: it counts every transfer answered so far',
  })
  @ApiResponse({ status: 200, type: BalanceDto })
  @ApiNotFoundResponse({ description: 'There is no such account' })
  balance(@Param() { id }: AccountParamsDto): Promise<BalanceDto> {
    return this.accounts.balance(id);
  }

  @Get(':id/history')
  @ApiOperation({
    summary: 'Transfers of an account, newest first, from the replica',
    description:
      'A replica repeats what the primary wrote, usually within milliseconds. A transfer that was ' +
      'answered a moment ago may therefore be missing here, although the balance already counts it; ' +
      'but not for whoever sends back the cookie, or the header `x-pools-seen`, of that answer.',
  })
  @ApiResponse({ status: 200, type: [HistoryEntryDto] })
  @ApiNotFoundResponse({ description: 'The replica knows no such account (yet)' })
  readHistory(
    @Param() { id }: AccountParamsDto,
    @Query() page: ReadHistoryDto,
  ): Promise<HistoryEntryDto[]> {
    return this.history.read(id, page);
  }
}
