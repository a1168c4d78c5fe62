import { Body, Controller, Post } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiNotFoundResponse,
  ApiOperation,
  ApiResponse,
  ApiTags,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import { CreateTransferDto } from './dto/create-transfer.dto.js';
import { TransferDto } from './dto/transfer.dto.js';
import { TransfersService } from './transfers.service.js';

@ApiTags('transfers')
@Controller('transfers')
export class TransfersController {
  constructor(private readonly transfers: TransfersService) {}

  @Post()
  @ApiOperation({ summary: 'Move money from one account to another, all or nothing' })
  @ApiResponse({ status: 201, type: TransferDto })
  @ApiBadRequestResponse({ description: 'The request is malformed; the answer lists every fault' })
  @ApiNotFoundResponse({ description: 'One of the accounts does not exist' })
  @ApiUnprocessableEntityResponse({
    description: 'Too little money on the account, or both accounts are the same',
  })
  create(@Body() transfer: CreateTransferDto): Promise<TransferDto> {
    return this.transfers.transfer(transfer);
  }
}
