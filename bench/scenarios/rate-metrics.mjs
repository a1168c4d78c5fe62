/** How many were done, how long the slow ones took, and what they cost the client. */
export const rateMetrics = (what) => [
  { name: 'perSecond', title: `${what}/s`, better: 'more' },
  { name: 'p99Ms', title: 'p99, ms', better: 'less' },
  { name: 'cpuMicros', title: "client's CPU, µs", better: 'less' },
];
