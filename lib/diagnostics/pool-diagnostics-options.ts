/**
 * Options of `PoolDiagnosticsModule.forRoot()`.
 *
 * @publicApi
 */
export interface PoolDiagnosticsOptions {
  /**
   * Whether SIGUSR2 makes the process write the report, servers included, to the log. From the end
   * of the start to the shutdown; before and after, and where this is off, the signal ends the
   * process. Not on Windows. Default: false.
   */
  readonly reportOnSignal?: boolean;
}

export const DIAGNOSTICS_OPTIONS = Symbol('DIAGNOSTICS_OPTIONS');
