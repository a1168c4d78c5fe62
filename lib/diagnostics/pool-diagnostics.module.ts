import { type DynamicModule, Module } from '@nestjs/common';
import { DIAGNOSTICS_OPTIONS, type PoolDiagnosticsOptions } from './pool-diagnostics-options.js';
import { PoolDiagnostics } from './pool-diagnostics.js';
import { ReportOnSignal } from './report-on-signal.js';
import { ServerDesk } from './server-desk.js';
import { ServerView } from './server-view.js';

/**
 * Provides {@link PoolDiagnostics}. The pools come from `PoolModule`.
 *
 * ```ts
 * imports: [PoolModule.forRoot(), PoolDiagnosticsModule.forRoot({ reportOnSignal: true })]
 * ```
 *
 * @publicApi
 */
@Module({
  providers: [PoolDiagnostics, ServerDesk, ServerView],
  exports: [PoolDiagnostics, ServerDesk],
})
export class PoolDiagnosticsModule {
  /** The same for all modules of the application, and by option for whoever sends a signal. */
  static forRoot(options: PoolDiagnosticsOptions = {}): DynamicModule {
    return {
      module: PoolDiagnosticsModule,
      global: true,
      providers: [{ provide: DIAGNOSTICS_OPTIONS, useValue: options }, ReportOnSignal],
    };
  }
}
