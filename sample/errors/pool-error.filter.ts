import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpStatus,
  Logger,
} from '@nestjs/common';
import type { Response } from 'express';
import { CommitOutcomeUnknownError, PoolError } from 'nestjs-pools';

/**
 * No connection in time, pool closing, database away: not the caller's fault, and likely over soon.
 * Without this filter Nest would answer 500; a 503 tells clients and load balancers to try again.
 *
 * But nobody is told to try again what may be done already.
 */
@Catch(PoolError)
export class PoolErrorFilter implements ExceptionFilter<PoolError> {
  private readonly logger = new Logger(PoolErrorFilter.name);

  catch(error: PoolError, host: ArgumentsHost): void {
    this.logger.warn(error.message, { code: error.code, pool: error.pool });
    const response = host.switchToHttp().getResponse<Response>();
    if (error instanceof CommitOutcomeUnknownError) {
      response.status(HttpStatus.INTERNAL_SERVER_ERROR).json({
        statusCode: HttpStatus.INTERNAL_SERVER_ERROR,
        error: 'Internal Server Error',
        message: 'Whether this was done is unknown; look before you repeat it',
        code: error.code,
      });
      return;
    }
    response.status(HttpStatus.SERVICE_UNAVAILABLE).header('Retry-After', '1').json({
      statusCode: HttpStatus.SERVICE_UNAVAILABLE,
      error: 'Service Unavailable',
      message: 'The database cannot serve this request now; please try again',
      code: error.code,
    });
  }
}
