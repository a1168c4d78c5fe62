/** Figures as the table writes them. */
export function ms(duration: number): string {
  return duration < 1_000 ? `${Math.round(duration)} ms` : `${(duration / 1_000).toFixed(1)} s`;
}
