import { describe, expect, it } from '@jest/globals';
import { isTransactionControl } from '../../../lib/postgres/session/transaction-control.js';

describe('a text that begins or ends a transaction', () => {
  it.each([
    'BEGIN',
    'begin;',
    '  begin isolation level serializable',
    'START TRANSACTION READ ONLY',
    'start\n\ttransaction',
    'COMMIT',
    'commit and chain',
    'END',
    'ABORT',
    'ROLLBACK',
    'rollback work',
    'ROLLBACK TRANSACTION;',
    "PREPARE TRANSACTION 'x'",
    "COMMIT PREPARED 'x'",
    '-- all of it\nCOMMIT',
    '/* all * of it */ ROLLBACK',
    '/* a /* b */ c */ COMMIT',
    'ROLLBACK/**/WORK',
    'START -- now\n TRANSACTION',
    '; ; COMMIT',
    'BEGIN; INSERT INTO a VALUES (1); COMMIT',
  ])('is %j', (text) => {
    expect(isTransactionControl(text)).toBe(true);
  });

  it.each([
    '',
    'SELECT 1',
    'SAVEPOINT a',
    'RELEASE SAVEPOINT a',
    'ROLLBACK TO a',
    'rollback to savepoint a',
    'ROLLBACK WORK TO a',
    'ROLLBACK TRANSACTION TO SAVEPOINT a',
    'SELECT begin FROM endings',
    'ENDPOINT',
    'begin_work()',
    'PREPARE transactions AS SELECT 1',
    '-- COMMIT\nSELECT 1',
    '/* a /* b */ COMMIT */ SELECT 1',
    '/* never ends COMMIT',
    'ROLLBACK /* back */ TO a',
    "SELECT 'COMMIT'",
    'SET TRANSACTION READ ONLY',
  ])('is not %j', (text) => {
    expect(isTransactionControl(text)).toBe(false);
  });
});
