import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { BackendRefusedError } from '../errors/backend-refused.error.js';
import { PoolError } from '../errors/pool.error.js';

const STATUS: Readonly<Record<string, number>> = {
  POOL_UNKNOWN: 404,
  POOL_INVALID_OPTIONS: 400,
  POOL_SERVER_NOT_ASKED: 503,
};

/** Tells the errors of the library by their status, their code and their own sentence. */
@Catch(PoolError)
export class PoolAdminFilter extends BaseExceptionFilter implements ExceptionFilter<PoolError> {
  override catch(error: PoolError, host: ArgumentsHost): void {
    const statusCode = statusOf(error);
    const { code, message } = error;
    super.catch(new HttpException({ statusCode, code, message }, statusCode), host);
  }
}

function statusOf(error: PoolError): number {
  if (error instanceof BackendRefusedError) return error.reason === 'unknown' ? 404 : 409;
  return STATUS[error.code] ?? 500;
}
