/** What a PromQL expression reads: metrics, and labels by the metric where it names them there. */
export interface Reads {
  readonly metrics: ReadonlySet<string>;
  /** Labels of selectors, with the metric that they select of. */
  readonly selected: readonly { readonly metric: string; readonly label: string }[];
  /** Labels that something is grouped or matched by. */
  readonly grouped: ReadonlySet<string>;
}

const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
const WORDS_OF_PROMQL = new Set(['and', 'or', 'unless', 'bool', 'offset', 'by', 'without']);

/** Reads as much of PromQL as the alerts and the dashboard use. */
export function readsOf(expression: string): Reads {
  const grouped = new Set<string>();
  const bare = expression.replaceAll(GROUPING, (_, labels: string) => {
    for (const label of namesIn(labels)) grouped.add(label);
    return ' ';
  });
  const selected = Array.from(bare.matchAll(/([a-zA-Z_:][\w:]*)\{([^}]*)\}/g)).flatMap(
    ([, metric, labels]) =>
      Array.from(labels!.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g), ([, label]) => ({
        metric: metric!,
        label: label!,
      })),
  );
  const words = bare
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, ' ')
    .matchAll(/(?<![\w.$])([a-zA-Z_:][\w:]*)(?!\s*\(|[\w:])/g);
  const metrics = new Set(
    Array.from(words, ([, word]) => word!).filter((word) => !WORDS_OF_PROMQL.has(word)),
  );
  return { metrics, selected, grouped };
}

function namesIn(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
