import { describe, expect, it } from '@jest/globals';
import type { Client } from 'pg';
import { probePooler } from '../../../lib/postgres/session/pooler-probe.js';

interface Question {
  handleDataRow(message: { fields: (string | null)[] }): void;
  handleError(error: Error): void;
  handleReadyForQuery(): void;
}

/** A client whose server answers the one question in this way. */
const answering = (answer: (question: Question) => void): Client =>
  ({
    query: (question: Question) => process.nextTick(() => answer(question)),
  }) as unknown as Client;

const failing = (code: string): Client =>
  answering((question) => question.handleError(Object.assign(new Error('told'), { code })));

describe('the question what stands before the server', () => {
  it.each([
    ['true', false],
    ['false', true],
  ])('is answered by a backend that knows it by its name: %s', async (isKnown, keepsNames) => {
    const client = answering((question) => {
      question.handleDataRow({ fields: ['4711', isKnown] });
      question.handleReadyForQuery();
    });

    expect(await probePooler(client)).toEqual({ backend: 4_711, keepsNames });
  });

  it.each(['42883', '42P01', '42P05', '0A000'])(
    'says nothing where the server answers that it does not understand: %s',
    async (code) => {
      expect(await probePooler(failing(code))).toEqual({ backend: undefined, keepsNames: false });
    },
  );

  it.each(['57P01', '08P01', 'ECONNRESET', '57014'])(
    'fails as the connection does: %s',
    async (code) => {
      await expect(probePooler(failing(code))).rejects.toMatchObject({ code });
    },
  );
});
