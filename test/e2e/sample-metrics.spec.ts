import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { Server } from 'node:http';
import request from 'supertest';
import { parse } from 'yaml';
import { type Samples, samplesIn } from '../integration/prometheus/support/samples.js';
import { testDatabase, type TestDatabase } from '../support/test-database.js';
import { readsOf } from './support/promql.js';

const docs = (file: string) => readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');

/** Labels that Prometheus itself puts on what it scrapes, and on the buckets of histograms. */
const OF_PROMETHEUS = ['job', 'instance', 'le'];

let database: TestDatabase;
let app: INestApplication<Server>;
let samples: Samples;

beforeAll(async () => {
  database = await testDatabase();
  process.env.DATABASE_URL = database.connectionString;
  process.env.DATABASE_REPLICA_URL = database.connectionString;
  const { AppModule } = await import('../../sample/app.module.js');
  const { configureApp } = await import('../../sample/configure-app.js');
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  app = module.createNestApplication({ logger: ['error'] });
  configureApp(app);
  await app.listen(0, '127.0.0.1');

  await request(app.getHttpServer()).get('/accounts/1').expect(200);
  const { text } = await request(app.getHttpServer()).get('/metrics').expect(200);
  samples = samplesIn(text);
});

afterAll(async () => {
  await app.close();
  await database.drop();
});

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

describe('the metrics of the sample', () => {
  it('tell of all of its pools', () => {
    const pools = samples.all('db_client_connection_limit').map(({ labels }) => labels.pool_name);
    expect(pools).toEqual(['primary', 'replica', 'admin']);
    const served = samples.value('nestjs_pools_acquires_total', { pool_name: 'primary' });
    expect(served).toBeGreaterThan(0);
  });

  it('are all that the alert rules read', () => {
    const { groups } = parse(docs('prometheus-alerts.yml')) as { groups: { rules: Rule[] }[] };
    const rules = groups.flatMap((group) => group.rules);
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
    const dashboard = JSON.parse(docs('grafana-dashboard.json')) as {
      panels: { id: number; title: string; targets: { expr: string }[] }[];
      templating: { list: { name: string; query: string | { query: string } }[] };
    };
    const { panels, templating } = dashboard;
    expect(panels.length).toBeGreaterThan(5);
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

  it('are all documented, and no other is', () => {
    const documented = new Set(
      Array.from(
        docs('metrics.md').matchAll(/^\| `((?:db_client|nestjs_pools)_\w+)/gm),
        ([, name]) => name!,
      ),
    );
    const scraped = new Set([...samples.names].map((name) => baseOf(name)));
    const ours = [...scraped].filter((name) => /^(?:db_client|nestjs_pools)_/.test(name));
    expect([...documented].toSorted()).toEqual(ours.toSorted());
  });
});

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
