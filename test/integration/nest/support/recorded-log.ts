import { inspect } from 'node:util';
import type { LoggerService } from '@nestjs/common';

export interface LogLine {
  readonly level: 'log' | 'warn' | 'error' | 'debug' | 'verbose' | 'fatal';
  readonly sentence: string;
  /** What was logged beside the sentence; Nest adds the context as the last of them. */
  readonly rest: readonly unknown[];
}

/** A logger of an application, which keeps what it is told. */
export class RecordedLog implements LoggerService {
  readonly lines: LogLine[] = [];

  readonly log = this.#keeping('log');
  readonly warn = this.#keeping('warn');
  readonly error = this.#keeping('error');
  readonly debug = this.#keeping('debug');
  readonly verbose = this.#keeping('verbose');
  readonly fatal = this.#keeping('fatal');

  /** The lines of the module about pools, at this level or at all. */
  ofPools(level?: LogLine['level']): LogLine[] {
    return this.lines.filter(
      (line) => line.rest.at(-1) === 'PoolModule' && (level === undefined || line.level === level),
    );
  }

  sentences(level?: LogLine['level']): string[] {
    return this.ofPools(level).map(({ sentence }) => sentence);
  }

  /** Everything that any logger could show of it, hidden properties included. */
  everything(): string {
    return inspect(this.lines, { depth: null, showHidden: true, maxStringLength: null });
  }

  #keeping(level: LogLine['level']) {
    return (message: unknown, ...rest: unknown[]): void => {
      this.lines.push({ level, sentence: String(message), rest });
    };
  }
}
