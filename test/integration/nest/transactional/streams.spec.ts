import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable } from '@nestjs/common';
import { Readable } from 'node:stream';
import {
  concatMap,
  defer,
  EMPTY,
  finalize,
  firstValueFrom,
  from,
  lastValueFrom,
  mergeMap,
  NEVER,
  Observable,
  of,
  range,
  Subject,
  take,
  throwError,
  toArray,
} from 'rxjs';
import Cursor from 'pg-cursor';
import QueryStream from 'pg-query-stream';
import request from 'supertest';
import { currentTransaction, InjectPool, Pool, Transactional } from '../../../../lib/index.js';
import { eventually } from '../../../support/eventually.js';
import { sleep } from '../../../support/sleep.js';
import { testLedger } from './support/ledger.js';

const ledger = testLedger();

@Injectable()
class Entries {
  finalized: unknown[] = [];

  constructor(@InjectPool() readonly primary: Pool) {}

  /** Begins its work when it is called. */
  @Transactional()
  eager(note: string): Observable<string | undefined> {
    return from(this.insert(note));
  }

  /** Begins its work when somebody subscribes. */
  @Transactional()
  lazy(...notes: string[]): Observable<string | undefined> {
    return from(notes).pipe(
      concatMap((note) => this.insert(note)),
      finalize(() => this.finalized.push(label())),
    );
  }

  @Transactional()
  failing(note: string, error: Error): Observable<string | undefined> {
    return from(this.insert(note)).pipe(mergeMap(() => throwError(() => error)));
  }

  @Transactional()
  given<T>(observable: Observable<T>): Observable<T> {
    return observable;
  }

  /** Its operators run where the source emits, which is outside. */
  @Transactional()
  relayed(notes: Observable<string>): Observable<string> {
    const transaction = currentTransaction()!;
    return notes.pipe(
      concatMap(async (note) => {
        await transaction.query('INSERT INTO entry VALUES ($1)', [note]);
        return note;
      }),
    );
  }

  @Transactional()
  throwing(error: Error): Observable<string> {
    throw error;
  }

  @Transactional()
  async promised(note: string): Promise<Observable<string | undefined>> {
    await this.insert(`${note} before`);
    return defer(() => this.insert(`${note} after`));
  }

  @Transactional({ propagation: 'MANDATORY' })
  mandatory(): Observable<never> {
    return EMPTY;
  }

  @Transactional({ timeoutMs: 300 })
  slow(): Observable<never> {
    return from(this.insert('slow')).pipe(mergeMap(() => NEVER));
  }

  @Transactional({ propagation: 'NESTED' })
  nested(...notes: string[]): Observable<string | undefined> {
    return from(notes).pipe(concatMap((note) => this.insert(note)));
  }

  @Transactional()
  async *steps(...notes: string[]): AsyncGenerator<string | undefined> {
    try {
      for (const note of notes) yield await this.insert(note);
    } finally {
      this.finalized.push(label());
      await this.primary.query('SELECT 1');
    }
  }

  @Transactional()
  async *failingSteps(note: string, error: Error): AsyncGenerator<string | undefined> {
    yield await this.insert(note);
    throw error;
  }

  @Transactional({ propagation: 'MANDATORY' })
  async *mandatorySteps(): AsyncGenerator<string> {
    yield 'never';
  }

  @Transactional()
  async outer<T>(work: () => Promise<T>): Promise<T> {
    return await work();
  }

  @Transactional()
  rows(): Readable {
    return this.primary.query(new QueryStream('SELECT generate_series(1, 100)'));
  }

  @Transactional()
  async promisedRows(): Promise<Readable> {
    await this.insert('never');
    return Readable.from(['a']);
  }

  @Transactional()
  webRows(): ReadableStream {
    return new ReadableStream();
  }

  async insert(note: string): Promise<string | undefined> {
    await this.primary.query('INSERT INTO entry VALUES ($1)', [note]);
    return label();
  }

  get leased(): number {
    return this.primary.stats().leased;
  }
}

const label = (): string | undefined => currentTransaction()?.label;

async function start() {
  const application = await ledger.start({ providers: [Entries] });
  const entries = application.get(Entries);
  return { entries, [Symbol.asyncDispose]: () => application.close() };
}

describe('an Observable of a transactional method', () => {
  it('is committed before its completion is passed on', async () => {
    await using running = await start();
    const seen: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      running.entries.lazy('a', 'b').subscribe({
        next: (value) => seen.push(value),
        error: reject,
        complete: () => {
          seen.push(running.entries.leased);
          resolve();
        },
      });
    });
    expect(seen).toEqual(['Entries.lazy', 'Entries.lazy', 0]);
    expect(await ledger.entries()).toEqual(['a', 'b']);
  });

  it('has work inside that was begun when the method was called', async () => {
    await using running = await start();
    expect(await lastValueFrom(running.entries.eager('a'))).toBe('Entries.eager');
    expect(await ledger.entries()).toEqual(['a']);
  });

  it('is rolled back when it fails, and the error is unchanged', async () => {
    await using running = await start();
    const error = new Error('no');
    await expect(lastValueFrom(running.entries.failing('a', error))).rejects.toBe(error);
    expect(await ledger.entries()).toEqual([]);
    expect(running.entries.leased).toBe(0);
  });

  it('fails when a swallowed failure has made its commit impossible', async () => {
    await using running = await start();
    const { entries } = running;
    const swallowing = defer(() => entries.primary.query('SELEKT 1').catch(() => 'swallowed'));
    await expect(lastValueFrom(entries.given(swallowing))).rejects.toMatchObject({
      code: 'POOL_UNEXPECTED_ROLLBACK',
    });
  });

  it.each([
    ['firstValueFrom', (entries: Entries) => firstValueFrom(entries.lazy('a', 'b'))],
    ['take(1)', (entries: Entries) => lastValueFrom(entries.lazy('a', 'b').pipe(take(1)))],
  ])('is rolled back by %s, and a warning names the method', async (_, read) => {
    await using running = await start();
    expect(await read(running.entries)).toBe('Entries.lazy');
    await eventually(() => expect(running.entries.leased).toBe(0));
    expect(await ledger.entries()).toEqual([]);
    expect(running.entries.finalized).toEqual(['Entries.lazy']);
    await eventually(() =>
      expect(ledger.log.sentences('warn')).toEqual([
        expect.stringMatching(/Entries\.lazy was rolled back.*firstValueFrom\(\), take\(1\)/),
      ]),
    );
  });

  it('is rolled back when what is done with its values fails', async () => {
    await using running = await start();
    const error = new Error('no');
    const mapped = running.entries.lazy('a', 'b').pipe(mergeMap(() => throwError(() => error)));
    await expect(lastValueFrom(mapped)).rejects.toBe(error);
    await eventually(() => expect(running.entries.leased).toBe(0));
    expect(await ledger.entries()).toEqual([]);
  });

  it('is rolled back although a cursor in it stays open', async () => {
    await using running = await start();
    const { entries } = running;
    const open = new Observable<string>((subscriber) => {
      const cursor = entries.primary.query(new Cursor('SELECT generate_series(1, 100)'));
      void cursor.read(1).then(() => subscriber.next('read'));
    });
    expect(await firstValueFrom(entries.given(open))).toBe('read');
    await eventually(() => expect(entries.leased).toBe(0));
    await eventually(() => expect(ledger.log.sentences('warn')).toHaveLength(1));
  });

  it('is left without a word where nothing was asked before', async () => {
    await using running = await start();
    const { entries } = running;
    expect(await firstValueFrom(entries.given(of(1, 2)))).toBe(1);
    expect(await lastValueFrom(entries.given(range(1, 1e9)).pipe(take(2), toArray()))).toEqual([
      1, 2,
    ]);
    await sleep(50);
    expect(ledger.log.sentences('warn')).toEqual([]);
  });

  it('is rolled back when it is unsubscribed while a statement runs', async () => {
    await using running = await start();
    const { entries } = running;
    const sleeping = entries.given(defer(() => entries.primary.query('SELECT pg_sleep(60)')));
    const subscription = sleeping.subscribe();
    await eventually(() => expect(entries.leased).toBe(1));
    subscription.unsubscribe();
    await eventually(() => expect(entries.leased).toBe(0));
  });

  it('is rolled back with a warning when nobody subscribes, and who comes late is told', async () => {
    await using running = await start();
    const observable = running.entries.eager('a');
    await eventually(() => expect(ledger.log.sentences('warn')).toHaveLength(1));
    expect(ledger.log.sentences('warn')[0]).toMatch(
      /Entries\.eager was rolled back: nobody has subscribed to its Observable within 2000 ms/,
    );
    await eventually(() => expect(running.entries.leased).toBe(0));
    await expect(lastValueFrom(observable)).rejects.toMatchObject({
      code: 'POOL_TRANSACTION_ABANDONED',
      label: 'Entries.eager',
    });
    expect(await ledger.entries()).toEqual([]);
  });

  it('may be subscribed as late as one likes where it holds nothing', async () => {
    await using running = await start();
    const observable = running.entries.lazy('a');
    await sleep(2_500);
    await lastValueFrom(observable);
    expect(await ledger.entries()).toEqual(['a']);
    expect(ledger.log.sentences('warn')).toEqual([]);
  });

  it('is refused to a second subscriber', async () => {
    await using running = await start();
    const observable = running.entries.lazy('a');
    await lastValueFrom(observable);
    await expect(lastValueFrom(observable)).rejects.toMatchObject({
      code: 'POOL_TRANSACTIONAL_MISUSED',
      message: expect.stringMatching(/share\(\)/),
    });
  });

  it('gives its values to the subscriber outside of the transaction', async () => {
    await using running = await start();
    const { entries } = running;
    const seen = await lastValueFrom(
      entries.lazy('a').pipe(
        concatMap(async (inside) => [inside, label()]),
        toArray(),
      ),
    );
    expect(seen).toEqual([['Entries.lazy', undefined]]);
  });

  it('ends when its time is over', async () => {
    await using running = await start();
    await expect(lastValueFrom(running.entries.slow())).rejects.toMatchObject({
      code: 'POOL_TRANSACTION_TIMEOUT',
    });
    expect(await ledger.entries()).toEqual([]);
  });

  it('may come in a promise', async () => {
    await using running = await start();
    await lastValueFrom(await running.entries.promised('a'));
    expect(await ledger.entries()).toEqual(['a before', 'a after']);
  });

  it('brings the error of a method that has failed before there was one', async () => {
    await using running = await start();
    const error = new Error('no');
    await expect(lastValueFrom(running.entries.throwing(error))).rejects.toBe(error);
    await expect(lastValueFrom(running.entries.mandatory())).rejects.toMatchObject({
      code: 'POOL_ILLEGAL_TRANSACTION_STATE',
      label: 'Entries.mandatory',
    });
    const orphan = new Entries(running.entries.primary);
    await expect(lastValueFrom(orphan.lazy('a'))).rejects.toMatchObject({
      code: 'POOL_NO_TRANSACTION_MANAGER',
    });
  });

  it('joins the transaction around, which alone decides', async () => {
    await using running = await start();
    const { entries } = running;
    const error = new Error('no');
    const failed = entries.outer(async () => {
      await lastValueFrom(entries.lazy('a'));
      throw error;
    });
    await expect(failed).rejects.toBe(error);
    expect(await entries.outer(() => firstValueFrom(entries.lazy('b', 'c')))).toBe('Entries.outer');
    expect(await ledger.entries()).toEqual(['b']);
    const swallowed = entries.outer(() =>
      lastValueFrom(entries.failing('d', error)).catch(() => 1),
    );
    await expect(swallowed).rejects.toMatchObject({
      code: 'POOL_UNEXPECTED_ROLLBACK',
      cause: error,
    });
    expect(await ledger.entries()).toEqual(['b']);
  });

  it('may be passed on by another transactional method', async () => {
    await using running = await start();
    const { entries } = running;
    const passedOn = entries.given(defer(() => entries.lazy('a')));
    expect(await lastValueFrom(passedOn)).toBe('Entries.given');
    const promised = entries.outer(async () => entries.lazy('b', 'c'));
    expect(await lastValueFrom(await promised)).toBe('Entries.outer');
    expect(await ledger.entries()).toEqual(['a', 'b', 'c']);
  });

  it('is undone by itself where it is nested, and stands in nobody’s way', async () => {
    await using running = await start();
    const { entries } = running;
    await entries.outer(async () => {
      await firstValueFrom(entries.nested('a', 'b'));
      await lastValueFrom(entries.nested('c'));
      entries.nested('never subscribed');
      await entries.insert('d');
    });
    expect(await ledger.entries()).toEqual(['c', 'd']);
  });

  it('is sent by a controller when it was committed', async () => {
    @Controller('entries')
    class EntriesController {
      constructor(@InjectPool() private readonly primary: Pool) {}

      @Get()
      @Transactional()
      add(): Observable<object> {
        const insert = () => this.primary.query("INSERT INTO entry VALUES ('a')");
        return defer(insert).pipe(mergeMap(() => of({ label: label() })));
      }
    }
    await using application = await ledger.start({ controllers: [EntriesController] });
    const answer = await request(application.getHttpServer()).get('/entries').expect(200);
    expect(answer.body).toEqual({ label: 'EntriesController.add' });
    expect(await ledger.entries()).toEqual(['a']);
  });

  it('may have a source that lives elsewhere, and takes its transaction along', async () => {
    await using running = await start();
    const { entries } = running;
    const subject = new Subject<string>();
    const seen: unknown[] = [];
    const subscription = entries.relayed(subject).subscribe((value) => seen.push(value));
    subject.next('a');
    await eventually(() => expect(seen).toEqual(['a']));
    subscription.unsubscribe();
    expect(subject.observed).toBe(false);
    await eventually(() => expect(entries.leased).toBe(0));
    expect(await ledger.entries()).toEqual([]);
  });
});

describe('an async generator that is transactional', () => {
  it('takes its steps inside, and is committed when it is done', async () => {
    await using running = await start();
    const seen: unknown[] = [];
    for await (const step of running.entries.steps('a', 'b')) seen.push(step, label());
    expect(seen).toEqual(['Entries.steps', undefined, 'Entries.steps', undefined]);
    expect(running.entries.finalized).toEqual(['Entries.steps']);
    expect(await ledger.entries()).toEqual(['a', 'b']);
  });

  it('is rolled back when it throws', async () => {
    await using running = await start();
    const error = new Error('no');
    const steps = running.entries.failingSteps('a', error);
    await steps.next();
    await expect(steps.next()).rejects.toBe(error);
    expect(await steps.next()).toEqual({ done: true, value: undefined });
    expect(await ledger.entries()).toEqual([]);
    expect(running.entries.leased).toBe(0);
  });

  it('is rolled back when it is left early, what it does at that included', async () => {
    await using running = await start();
    for await (const _step of running.entries.steps('a', 'b')) break;
    expect(running.entries.finalized).toEqual(['Entries.steps']);
    expect(running.entries.leased).toBe(0);
    expect(await ledger.entries()).toEqual([]);
  });

  it('is over once it was left', async () => {
    await using running = await start();
    const { entries } = running;
    const [left, unbegun] = [entries.steps('a', 'b'), entries.steps('c')];
    await left.next();
    for (const steps of [left, unbegun]) {
      expect(await steps.return('x')).toEqual({ done: true, value: 'x' });
      expect(await steps.next()).toEqual({ done: true, value: undefined });
    }
    expect(await ledger.entries()).toEqual([]);
    expect(ledger.log.sentences('warn')).toEqual([]);
  });

  it('is rolled back by an error that is thrown into it', async () => {
    await using running = await start();
    const error = new Error('no');
    const steps = running.entries.steps('a', 'b');
    await steps.next();
    await expect(steps.throw(error)).rejects.toBe(error);
    expect(await ledger.entries()).toEqual([]);
    expect(running.entries.leased).toBe(0);
  });

  it('fails at its first step where it cannot begin', async () => {
    await using running = await start();
    await expect(running.entries.mandatorySteps().next()).rejects.toMatchObject({
      code: 'POOL_ILLEGAL_TRANSACTION_STATE',
      label: 'Entries.mandatorySteps',
    });
    const orphan = new Entries(running.entries.primary);
    await expect(orphan.steps('a').next()).rejects.toMatchObject({
      code: 'POOL_NO_TRANSACTION_MANAGER',
    });
  });

  it('joins, and may be left early there', async () => {
    await using running = await start();
    const { entries } = running;
    await entries.outer(async () => {
      for await (const _step of entries.steps('a', 'b')) break;
      await entries.insert('c');
    });
    expect(await ledger.entries()).toEqual(['a', 'c']);
  });
});

describe('a stream', () => {
  it.each([
    ['of rows', (entries: Entries) => entries.rows()],
    ['in a promise', (entries: Entries) => entries.promisedRows()],
    ['of the web', (entries: Entries) => entries.webRows()],
  ])('%s is refused, and the transaction rolled back', async (_, call) => {
    await using running = await start();
    const { entries } = running;
    const refused: unknown = call(entries);
    await expect(refused).rejects.toMatchObject({
      code: 'POOL_TRANSACTIONAL_MISUSED',
      message: expect.stringMatching(/Entries\.\w+ has returned a stream.*async iterator/),
    });
    expect(entries.leased).toBe(0);
    expect(await ledger.entries()).toEqual([]);
    await entries.primary.query('SELECT 1');
  });
});
