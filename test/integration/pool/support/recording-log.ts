import type { PoolLog } from '../../../../lib/index.js';

type Level = 'debug' | 'info' | 'warn' | 'error';

/** Remembers what a pool writes. */
export class RecordingLog implements PoolLog {
  readonly lines: { readonly level: Level; readonly sentence: string; readonly details: object }[] =
    [];

  get warnings(): string[] {
    return this.sentences('warn');
  }

  sentences(level: Level): string[] {
    return this.lines.filter((line) => line.level === level).map(({ sentence }) => sentence);
  }

  debug(sentence: string, details: object): void {
    this.lines.push({ level: 'debug', sentence, details });
  }

  info(sentence: string, details: object): void {
    this.lines.push({ level: 'info', sentence, details });
  }

  warn(sentence: string, details: object): void {
    this.lines.push({ level: 'warn', sentence, details });
  }

  error(sentence: string, details: object): void {
    this.lines.push({ level: 'error', sentence, details });
  }
}
