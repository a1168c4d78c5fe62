import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type Samples, samplesIn } from '../integration/prometheus/support/samples.js';
import type { ChildProgram } from '../support/child-program.js';
import { eventually } from '../support/eventually.js';
import { readsOf } from './support/promql.js';
import { SampleClient } from './support/sample-client.js';
import { addressOf, runSample } from './support/sample-process.js';

const docs = (file: string) => readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');

/** Labels that Prometheus itself puts on what it scrapes, and on the buckets of histograms. */
const OF_PROMETHEUS = ['job', 'instance', 'le'];

const START_TIMEOUT_MS = 180_000;

let sample: ChildProgram;
let samples: Samples;

beforeAll(async () => {
  // With databases of its own: a standby has metrics that no other server has.
  sample = runSample({});
  const client = new SampleClient(await addressOf(sample));
  await client.get('/accounts/1');
  await eventually(async () => {
    const response = await client.get('/metrics');
    samples = samplesIn(await response.text());
    expect(samples.all('nestjs_pools_replica_lag_seconds')).not.toEqual([]);
  });
}, START_TIMEOUT_MS);

afterAll(() => sample[Symbol.asyncDispose]());

function expectReadable(expression: string): void {
  const { metrics, selected, grouped } = readsOf(expression);
  expect([...metrics]).not.toEqual([]);
  for (const metric of metrics) expect([...samples.names]).toContain(metric);
  const selectors = selected.filter(({ label }) => !OF_PROMETHEUS.includes(label));
  for (const { metric, label } of selectors) {
    expect([...samples.labelsOf(metric)]).toContain(label);
  }
  const known = Array.from(metrics, (metric) => Array.from(samples.labelsOf(metric))).flat();
  for (const label of grouped) expect([...known, ...OF_PROMETHEUS]).toContain(label);
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const { groups } = parse(docs('prometheus-alerts.yml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

interface Dashboard {
  readonly panels: { id: number; title: string; targets: { expr: string }[] }[];
  readonly templating: { list: { name: string; query: string | { query: string } }[] };
}

const dashboard = JSON.parse(docs('grafana-dashboard.json')) as Dashboard;

describe('the metrics of the sample', () => {
  it('tell of all of its pools', () => {
    const pools = samples.all('db_client_connection_limit').map(({ labels }) => labels.pool_name);
    expect(pools).toEqual(['primary', 'replica', 'replica-fallback', 'admin']);
    const served = samples.value('nestjs_pools_acquires_total', { pool_name: 'primary' });
    expect(served).toBeGreaterThan(0);
  });

  it('are all that the alert rules read', () => {
    expect(rules.length).toBeGreaterThan(5);
    for (const { alert, expr, labels, annotations } of rules) {
      expect(alert).toMatch(/^Pool[A-Za-z]+$/);
      expect(['warning', 'critical']).toContain(labels.severity);
      expect(Object.keys(annotations)).toEqual(['summary', 'description']);
      expectReadable(expr);
    }
    const reasons = samples
      .all('nestjs_pools_connections_closed_total')
      .map(({ labels }) => labels.reason);
    const [, reason] = /connections_closed_total\{reason="([^"]+)"\}/.exec(
      docs('prometheus-alerts.yml'),
    )!;
    expect(reasons).toContain(reason);
  });

  it('are all that the dashboard reads', () => {
    const { panels, templating } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const variables = ['$__rate_interval', ...templating.list.map(({ name }) => `$${name}`)];
    for (const { expr } of panels.flatMap(({ targets }) => targets)) {
      expectReadable(expr);
      for (const [variable] of expr.matchAll(/\$\w+/g)) expect(variables).toContain(variable);
    }
    const queries = templating.list.flatMap(({ query }) =>
      typeof query === 'string' ? [] : [query.query],
    );
    for (const query of queries) {
      const [, metric, label] = /^label_values\((\w+).*, (\w+)\)$/.exec(query)!;
      expect([...samples.names]).toContain(metric);
      expect([...samples.labelsOf(metric!), ...OF_PROMETHEUS]).toContain(label);
    }
  });

  it('are all on the dashboard, but for the bounds that never change', () => {
    const targets = dashboard.panels.flatMap((panel) => panel.targets);
    const read = new Set(targets.flatMap(({ expr }) => Array.from(readsOf(expr).metrics, baseOf)));
    const unread = ours().filter((name) => !read.has(name));
    expect(unread.toSorted()).toEqual([
      'db_client_connection_idle_max',
      'db_client_connection_idle_min',
    ]);
  });

  it('are all documented, and no other is', () => {
    const documented = new Set(
      Array.from(
        docs('metrics.md').matchAll(/^\| `((?:db_client|nestjs_pools)_\w+)/gm),
        ([, name]) => name!,
      ),
    );
    expect([...documented].toSorted()).toEqual(ours().toSorted());
  });
});

describe('the alerts', () => {
  it('are all documented, with their severity, and no other is', () => {
    const documented = docs('metrics.md').matchAll(/^\| `(Pool\w+)` +\| (warning|critical) /gm);
    expect(Array.from(documented, ([, alert, severity]) => [alert, severity])).toEqual(
      rules.map(({ alert, labels }) => [alert, labels.severity]),
    );
  });
});

/** The names of the metrics of pools that were scraped. */
function ours(): string[] {
  const scraped = new Set(Array.from(samples.names, baseOf));
  return [...scraped].filter((name) => /^(?:db_client|nestjs_pools)_/.test(name));
}

/** Of the three samples of a histogram, the one name. */
function baseOf(name: string): string {
  const base = name.replace(/_(?:bucket|sum|count)$/, '');
  return samples.typeOf(base) === 'histogram' ? base : name;
}

describe('what an expression reads', () => {
  it('is told from the words of PromQL', () => {
    const { metrics, selected, grouped } = readsOf(
      'sum by (pool_name, le) (rate(a_bucket{state="b_c", x=~"$job"}[5m])) / ignoring(state) d > 0.5 and e unless f',
    );
    expect([...metrics]).toEqual(['a_bucket', 'd', 'e', 'f']);
    expect(selected).toEqual([
      { metric: 'a_bucket', label: 'state' },
      { metric: 'a_bucket', label: 'x' },
    ]);
    expect([...grouped]).toEqual(['pool_name', 'le', 'state']);
  });
});
