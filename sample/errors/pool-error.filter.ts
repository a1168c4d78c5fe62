import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpStatus,
  Logger,
} from '@nestjs/common';
import type { Response } from 'express';
import { PoolError } from 'nestjs-pools';

/**
 * No connection in time, pool closing, database away: not the caller's fault, and likely over soon.
 * Without this filter Nest would answer 500; a 503 tells clients and load balancers to try again.
 */
@Catch(PoolError)
export class PoolErrorFilter implements ExceptionFilter<PoolError> {
  private readonly logger = new Logger(PoolErrorFilter.name);

  catch(error: PoolError, host: ArgumentsHost): void {
    this.logger.warn(error.message, { code: error.code, pool: error.pool });
    host
      .switchToHttp()
      .getResponse<Response>()
      .status(HttpStatus.SERVICE_UNAVAILABLE)
      .header('Retry-After', '1')
      .json({
        statusCode: HttpStatus.SERVICE_UNAVAILABLE,
        error: 'Service Unavailable',
        message: 'The database cannot serve this request now; please try again',
        code: error.code,
      });
  }
}
