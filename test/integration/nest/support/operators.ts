import { type CanActivate, type ExecutionContext, Injectable, Module } from '@nestjs/common';

const TOKEN = 'let-me-in';

/** With this a request gets through {@link OperatorGuard}. */
export const AS_OPERATOR = { 'x-token': TOKEN };

/** What the guard injects, to see that it can. */
@Injectable()
export class Operators {
  readonly token = TOKEN;
}

@Module({ providers: [Operators], exports: [Operators] })
export class OperatorsModule {}

/** Reads a header, as guards do under every adapter, and has a dependency, as most have. */
@Injectable()
export class OperatorGuard implements CanActivate {
  constructor(private readonly operators: Operators) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return headers['x-token'] === this.operators.token;
  }
}
