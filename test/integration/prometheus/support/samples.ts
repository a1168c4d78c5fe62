export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a scrape has said. */
export class Samples {
  constructor(
    private readonly samples: readonly Sample[],
    private readonly types: ReadonlyMap<string, string>,
  ) {}

  get names(): ReadonlySet<string> {
    return new Set(this.samples.map(({ name }) => name));
  }

  /** Names of all labels that a metric has. */
  labelsOf(name: string): ReadonlySet<string> {
    return new Set(this.all(name).flatMap(({ labels }) => Object.keys(labels)));
  }

  typeOf(name: string): string | undefined {
    return this.types.get(name);
  }

  all(name: string): readonly Sample[] {
    return this.samples.filter((sample) => sample.name === name);
  }

  /** The one value with exactly these labels. */
  value(name: string, labels: Readonly<Record<string, string>>): number {
    const found = this.all(name).filter((sample) => isSame(sample.labels, labels));
    if (found.length !== 1) {
      throw new Error(`${found.length} samples of ${name} with ${JSON.stringify(labels)}`);
    }
    return found[0]!.value;
  }
}

/** Reads the text format of Prometheus; throws at a line that it does not allow. */
export function samplesIn(text: string): Samples {
  const lines = text.split('\n').filter((line) => line !== '');
  const types = new Map(
    lines
      .filter((line) => line.startsWith('# TYPE '))
      .map((line) => line.split(' ').slice(2) as [string, string]),
  );
  const samples = lines.filter((line) => !line.startsWith('#')).map(sampleOf);
  return new Samples(samples, types);
}

function sampleOf(line: string): Sample {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  const value = Number(match?.[3]);
  if (!match || Number.isNaN(value)) throw new Error(`no sample: ${line}`);
  const labels = Object.fromEntries(
    Array.from((match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g), ([, name, text]) => [
      name!,
      text!,
    ]),
  );
  return { name: match[1]!, labels, value };
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}
