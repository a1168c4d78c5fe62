import { Module } from '@nestjs/common';
import { AccountHistoryService } from './account-history.service.js';
import { AccountsController } from './accounts.controller.js';
import { AccountsService } from './accounts.service.js';

@Module({
  controllers: [AccountsController],
  providers: [AccountsService, AccountHistoryService],
})
export class AccountsModule {}
