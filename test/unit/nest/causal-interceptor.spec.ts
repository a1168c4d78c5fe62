import { describe, expect, it } from '@jest/globals';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { defer, lastValueFrom, of } from 'rxjs';
import { CausalInterceptor } from '../../../lib/nest/causal/causal.interceptor.js';
import type { CausalReads } from '../../../lib/nest/causal/causal-reads.js';
import { openContextOfRequests } from '../../../lib/nest/causal/http-contexts.js';
import {
  CausalContext,
  causalContext,
  inCausalContext,
} from '../../../lib/routing/causal/causal-context.js';
import { deferred } from '../../support/deferred.js';

const WINDOW_MS = 60_000;

const reads = {
  isActive: true,
  names: { cookie: undefined, header: 'x-pools-seen', maxAgeMs: WINDOW_MS },
  open: () => new CausalContext(),
  tokenOf: () => undefined,
} as unknown as CausalReads;

/** As Nest calls it for a resolver, whose third argument is what its operation shares. */
function resolver(shared: unknown): ExecutionContextHost {
  const execution = new ExecutionContextHost([undefined, {}, shared, {}]);
  execution.setType('graphql');
  return execution;
}

function contextIn(interceptor: CausalInterceptor, execution: ExecutionContextHost) {
  const handle = () => defer(() => of(causalContext()));
  return lastValueFrom(interceptor.intercept(execution, { handle }));
}

/** A request as an adapter like Express hands it on, and the context that was opened for it. */
function requestWithContext() {
  const request = { headers: {} };
  let context: CausalContext | undefined;
  openContextOfRequests(
    {
      use: (middleware: (...args: unknown[]) => void) => {
        middleware(request, { writeHead: () => {} }, () => (context = causalContext()));
      },
    },
    reads,
  );
  return { request, context };
}

describe('the interceptor of a resolver', () => {
  it('has its answer wait until it is known what its request has written', async () => {
    const context = new CausalContext();
    const position = deferred<string[]>();
    context.wrote(position.promise, WINDOW_MS);
    const events: string[] = [];

    const handle = () => of('the answer');
    const answered = inCausalContext(context, () =>
      lastValueFrom(new CausalInterceptor(reads).intercept(resolver({}), { handle })),
    ).then((answer) => events.push(String(answer)));
    setImmediate(() => {
      events.push('the position');
      position.resolve(['200', '00000001']);
    });
    await answered;

    expect(events).toEqual(['the position', 'the answer']);
    expect(context.seen(WINDOW_MS)).toMatchObject({ primaryForMs: 0 });
  });

  it('finds the context of a request that has lost it on the way', async () => {
    const { request, context } = requestWithContext();

    const found = await contextIn(new CausalInterceptor(reads), resolver({ req: request }));

    expect(context).toBeInstanceOf(CausalContext);
    expect(found).toBe(context);
  });

  it('opens one for an operation without a request, and for each its own', async () => {
    const interceptor = new CausalInterceptor(reads);
    const [one, other] = [{}, { req: { headers: {} } }];

    const first = await contextIn(interceptor, resolver(one));

    expect(first).toBeInstanceOf(CausalContext);
    expect(await contextIn(interceptor, resolver(one))).toBe(first);
    expect(await contextIn(interceptor, resolver(other))).not.toBe(first);
  });

  it('opens one for each resolver where its operation shares nothing', async () => {
    const interceptor = new CausalInterceptor(reads);

    const first = await contextIn(interceptor, resolver(undefined));
    const second = await contextIn(interceptor, resolver(undefined));

    expect(first).toBeInstanceOf(CausalContext);
    expect(second).toBeInstanceOf(CausalContext);
    expect(second).not.toBe(first);
  });
});
