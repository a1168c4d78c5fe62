import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
  Optional,
  type Type,
} from '@nestjs/common';
import type { Observable } from 'rxjs';
import { InvalidTransactionOptionsError } from '../../errors/invalid-transaction-options.error.js';
import { NoTransactionManagerError } from '../../errors/no-transaction-manager.error.js';
import { TransactionManager } from '../../transaction/transaction-manager.js';
import type { TransactionOptions } from '../../transaction/transaction-options.js';
import { adoptResult } from './adopt-result.js';
import { declarePools } from './declared-pools.js';
import {
  checkTransactionalOptions,
  optionsOfCall,
  type TransactionalOptions,
} from './transactional-options.js';

/**
 * Options of a transaction per request. A function of settings is called with the context of the
 * request; nothing is run again, since what the handler has sent is sent.
 *
 * @publicApi
 */
export interface TransactionInterceptorOptions extends Omit<
  TransactionalOptions,
  'settings' | 'retry'
> {
  readonly settings?:
    | TransactionOptions['settings']
    | ((context: ExecutionContext) => NonNullable<TransactionOptions['settings']>);
}

/**
 * Runs a handler in a transaction, with its pipes and the interceptors behind this one. It is
 * committed before the response is sent, and rolled back when anything fails by then. Guards, and
 * exception filters, run outside of it.
 *
 * ```ts
 * @UseInterceptors(TransactionInterceptor)
 * @UseInterceptors(TransactionInterceptor.with({ isolation: 'repeatable read', readOnly: true }))
 * ```
 *
 * @publicApi
 */
@Injectable()
export class TransactionInterceptor implements NestInterceptor {
  protected readonly options: TransactionInterceptorOptions = {};

  constructor(
    @Optional()
    @Inject(TransactionManager)
    private readonly transactions: TransactionManager | undefined,
  ) {}

  /** @throws InvalidTransactionOptionsError that lists everything that is wrong */
  static with(options: TransactionInterceptorOptions): Type<NestInterceptor> {
    checkTransactionalOptions(options, 'TransactionInterceptor');
    if ('retry' in options) {
      throw new InvalidTransactionOptionsError([
        'TransactionInterceptor: retry needs work that can be run again; decorate a method of a' +
          ' provider with it instead',
      ]);
    }
    @Injectable()
    class ConfiguredTransactionInterceptor extends TransactionInterceptor {
      protected override readonly options = options;
    }
    declarePools(ConfiguredTransactionInterceptor.prototype, 'intercept', options);
    return ConfiguredTransactionInterceptor;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const label = `${context.getClass().name}.${context.getHandler().name}`;
    if (!this.transactions) throw new NoTransactionManagerError(label);
    const options = optionsOfCall(this.options, label, context);
    return this.transactions.call(options, () => next.handle(), adoptResult) as Observable<unknown>;
  }
}

declarePools(TransactionInterceptor.prototype, 'intercept');
