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
 * client is to be told that; so does each query and mutation of a GraphQL request.
 */
@Injectable()
export class CausalInterceptor implements NestInterceptor {
  /** Of GraphQL operations that belong to no request, as those that come over a WebSocket. */
  readonly #ofOperations = new WeakMap<object, CausalContext>();

  constructor(private readonly reads: CausalReads) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { reads } = this;
    if (!reads.isActive) return next.handle();
    const operation = operationOf(execution);
    const isHttp = execution.getType() === 'http';
    const request = isHttp ? execution.switchToHttp().getRequest<unknown>() : operation?.req;
    const ofRequest = causalContext() ?? contextOfRequest(request);
    const context = ofRequest ?? (operation ? this.#ofOperation(operation) : reads.open());
    const handled = new Observable<unknown>((subscriber) =>
      inCausalContext(context, () => next.handle().subscribe(subscriber)),
    );
    return ofRequest && reads.names ? whenKnown(handled, context) : handled;
  }

  #ofOperation(operation: object): CausalContext {
    const context = this.#ofOperations.get(operation) ?? this.reads.open();
    this.#ofOperations.set(operation, context);
    return context;
  }
}

/** What the resolvers of a GraphQL operation share: the third argument of each. */
function operationOf(execution: ExecutionContext): { readonly req?: unknown } | undefined {
  if (execution.getType<string>() !== 'graphql') return undefined;
  const shared: unknown = execution.getArgByIndex(2);
  return typeof shared === 'object' && shared !== null ? shared : undefined;
}

function whenKnown(handled: Observable<unknown>, context: CausalContext): Observable<unknown> {
  const known = () => from(context.settled().catch(() => {}));
  return handled.pipe(
    concatMap((value) => known().pipe(map(() => value))),
    catchError((error: unknown) => known().pipe(concatMap(() => throwError(() => error)))),
  );
}
