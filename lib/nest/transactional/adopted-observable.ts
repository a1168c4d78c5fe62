import { AsyncLocalStorage } from 'node:async_hooks';
import { Observable, Subject, type Subscriber, takeUntil } from 'rxjs';
import { TransactionalMisuseError } from '../../errors/transactional-misuse.error.js';
import type { OpenPart } from '../../transaction/call.js';
import { PendingEnd } from './pending-end.js';

/** An Observable that ends its part in a transaction, and passes its end on after that. */
export function adoptObservable<T>(source: Observable<T>, part: OpenPart): Observable<T> {
  const end = new PendingEnd(part, 'subscribed to its Observable');
  let isSubscribed = false;
  return new Observable((subscriber) => {
    if (isSubscribed) {
      throw new TransactionalMisuseError(
        part.label,
        'has returned an Observable that belongs to one transaction and was subscribed twice; call' +
          ' the method for each subscription, or share() the Observable',
      );
    }
    isSubscribed = true;
    end.begin();
    run(source, end, subscriber);
  });
}

function run<T>(source: Observable<T>, end: PendingEnd, subscriber: Subscriber<T>): void {
  // What is done with the values belongs to whoever has subscribed, and not to the transaction.
  const outside = AsyncLocalStorage.snapshot();
  const fail = (error: unknown) => outside(() => subscriber.error(error));
  const stop = new Subject<void>();

  const failed = (error: unknown): void => {
    if (end.claim()) void end.fail(error).then(() => fail(error), fail);
  };
  const completed = (): void => {
    if (end.claim()) void end.succeed().then(() => outside(() => subscriber.complete()), fail);
  };
  // Before the source: it may bring the subscriber to unsubscribe while it is subscribed to.
  subscriber.add(() => {
    const isEarly = end.claim();
    end.inside(() => stop.next());
    if (isEarly) {
      void end.abandon(
        'its Observable was unsubscribed before it had completed, as firstValueFrom(), take(1) and' +
          ' an operator that fails do; wait for its end with lastValueFrom() or toArray()',
        true,
      );
    }
  });
  end.interrupted?.catch(failed);
  end.inside(() =>
    source.pipe(takeUntil(stop)).subscribe({
      next: (value) => outside(() => subscriber.next(value)),
      error: failed,
      complete: completed,
    }),
  );
}
