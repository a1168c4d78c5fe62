import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { catchError, concatMap, from, map, Observable, throwError } from 'rxjs';
import {
  type CausalContext,
  causalContext,
  inCausalContext,
} from '../../routing/causal/causal-context.js';
import { CausalReads } from './causal-reads.js';
import { contextOfRequest } from './http-contexts.js';

/**
 * Runs whatever handles something in a context, be it a message, an event or a request that has lost
 * its own on the way. What a request answers waits until it is known what it has written, where its
 * client is to be told that.
 */
@Injectable()
export class CausalInterceptor implements NestInterceptor {
  constructor(private readonly reads: CausalReads) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { reads } = this;
    if (!reads.isActive) return next.handle();
    const isHttp = execution.getType() === 'http';
    const ofRequest = isHttp ? contextOfRequest(execution.switchToHttp().getRequest()) : undefined;
    const context = causalContext() ?? ofRequest ?? reads.open();
    const handled = new Observable<unknown>((subscriber) =>
      inCausalContext(context, () => next.handle().subscribe(subscriber)),
    );
    return isHttp && reads.names ? whenKnown(handled, context) : handled;
  }
}

function whenKnown(handled: Observable<unknown>, context: CausalContext): Observable<unknown> {
  const known = () => from(context.settled().catch(() => {}));
  return handled.pipe(
    concatMap((value) => known().pipe(map(() => value))),
    catchError((error: unknown) => known().pipe(concatMap(() => throwError(() => error)))),
  );
}
