import { describe, expect, it } from '@jest/globals';
import { PoolClosedError } from '../../../lib/errors/pool-closed.error.js';
import { HostsFailedError } from '../../../lib/errors/hosts-failed.error.js';
import { errorSentence } from '../../../lib/errors/error-sentence.js';

const SECRET = 'postgres://app:hunter2@db.internal/orders';

describe('an error as an operator is told of it', () => {
  it.each([
    ['28P01', '28P01: the server refuses the login; check user, password and pg_hba.conf'],
    ['53300', '53300: the server has no connection left; check max_connections'],
    ['42P01', '42P01: there is no such table'],
    ['08006', '08006: the connection failed'],
    ['XX000', 'XX000: the server answered with an error'],
    ['ECONNREFUSED', 'ECONNREFUSED: nobody listens there'],
    ['ESOMETHING', 'ESOMETHING'],
  ])('is its code and a sentence of ours: %s', (code, sentence) => {
    const error = Object.assign(new Error(SECRET), { code, detail: SECRET, hint: SECRET });
    expect(errorSentence(error)).toBe(sentence);
  });

  it('names the address of a system call', () => {
    const error = Object.assign(new Error(), { code: 'ECONNREFUSED', address: '::1', port: 5432 });
    expect(errorSentence(error)).toBe('ECONNREFUSED ::1:5432: nobody listens there');
  });

  it('says what node-postgres tells without a code: that there is no password', () => {
    const message = 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string';
    expect(errorSentence(new Error(message))).toBe('the server wants a password, and none is set');
  });

  it('explains our own', () => {
    expect(errorSentence(new PoolClosedError('primary', 'closed'))).toBe(
      'POOL_CLOSED: the pool was ended',
    );
  });

  it('leaves it at what our own have told behind their code', () => {
    const error = Object.assign(new Error(), { code: '28P01' });
    const failed = new HostsFailedError('primary', [{ host: 'db1', port: 5432, error }]);
    expect(errorSentence(failed)).toBe('POOL_HOSTS_FAILED: db1:5432 28P01');
  });

  it.each([
    ['a code that is a text', Object.assign(new Error(SECRET), { code: SECRET })],
    ['a code that is no text', Object.assign(new Error(SECRET), { code: { SECRET } })],
    ['a message alone', new Error(SECRET)],
    ['a string', SECRET],
    ['nothing', undefined],
  ])('quotes nothing of an error with %s', (_, error) => {
    expect(errorSentence(error)).toMatch(/^(an unknown error|Error)$/);
  });
});
