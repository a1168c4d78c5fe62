export function tableOf(head, rows) {
  const rule = head.map(() => '---');
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Three digits that count, as far as they stand before the point. */
export function figure(value) {
  if (!Number.isFinite(value)) return '-';
  if (value >= 1_000) return new Intl.NumberFormat('en').format(Math.round(value));
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function times(ratio) {
  return `${ratio.toFixed(2)}x`;
}
