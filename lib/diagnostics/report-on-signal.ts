import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { PoolDiagnostics } from './pool-diagnostics.js';
import { DIAGNOSTICS_OPTIONS, type PoolDiagnosticsOptions } from './pool-diagnostics-options.js';

const SIGNAL = 'SIGUSR2';

/** Writes the report to the log when somebody sends the process a signal; not on Windows. */
@Injectable()
export class ReportOnSignal implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('PoolDiagnostics');
  #isWriting = false;

  constructor(
    private readonly diagnostics: PoolDiagnostics,
    @Inject(DIAGNOSTICS_OPTIONS) private readonly options: PoolDiagnosticsOptions,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.options.reportOnSignal) return;
    if (process.platform === 'win32') {
      this.#logger.warn(`there is no ${SIGNAL} on Windows: reportOnSignal has no effect here`);
    } else {
      process.on(SIGNAL, this.#write);
    }
  }

  onApplicationShutdown(): void {
    process.off(SIGNAL, this.#write);
  }

  /** Somebody who sends it again and again gets one at a time. */
  readonly #write = (): void => {
    if (this.#isWriting) return;
    this.#isWriting = true;
    void this.diagnostics
      .report({ server: true })
      .then((report) => this.#logger.log(`who holds what, asked by ${SIGNAL}\n${String(report)}`))
      .finally(() => (this.#isWriting = false));
  };
}
