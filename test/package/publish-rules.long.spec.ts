import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

import { PackedPackage } from './packed-package.js';
import { runCommand } from './run-command.js';

describe('the packed package', () => {
  let packed: PackedPackage;

  beforeAll(async () => {
    packed = await PackedPackage.pack();
  });

  afterAll(async () => {
    await packed[Symbol.asyncDispose]();
  });

  it('has nothing that publint would complain of, not even a suggestion', async () => {
    const { messages, pkg } = await publint({
      pack: { tarball: await packed.bytes() },
      strict: true,
    });

    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('resolves to the right types from ES modules and from CommonJS', async () => {
    const report = await runCommand('npx', [
      'attw',
      packed.file,
      '--profile',
      'node16',
      '--ignore-rules',
      'cjs-resolves-to-esm',
    ]);

    expect(report).toContain('nestjs-pools/health');
    expect(report).toContain('nestjs-pools/opentelemetry');
    expect(report).toContain('nestjs-pools/prometheus');
    expect(report).toContain('nestjs-pools/testing');
  });
});
