import { describe, expect, it } from '@jest/globals';
import { sessionFeatureOf } from '../../../lib/postgres/session/session-feature.js';

describe('what needs a session that stays', () => {
  it.each([
    ['listen news', 'LISTEN'],
    ['-- first\nUNLISTEN *', 'LISTEN'],
    ["SET search_path TO 'a'", 'SET'],
    ['SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY', 'SET'],
    ['BEGIN; SET work_mem = 1; COMMIT', 'SET'],
    ['/* a */ RESET work_mem', 'SET'],
    ['DISCARD ALL', 'SET'],
    ["SELECT set_config('a.b', $1, false)", 'SET'],
    ['SELECT pg_try_advisory_lock($1)', 'an advisory lock of the session'],
    ['SELECT pg_advisory_unlock_all()', 'an advisory lock of the session'],
    ['CREATE LOCAL TEMPORARY TABLE t (n int)', 'a temporary table that outlives its transaction'],
    ['SELECT 1 AS n INTO TEMP t', 'a temporary table that outlives its transaction'],
    ['prepare p as select 1', 'PREPARE'],
    ['EXECUTE p', 'PREPARE'],
    ['DECLARE c SCROLL CURSOR WITH HOLD FOR SELECT 1', 'a cursor WITH HOLD'],
    ["LOAD 'auto_explain'", 'LOAD'],
  ])('is seen in %j', (text, feature) => {
    expect(sessionFeatureOf(text)).toBe(feature);
  });

  it.each([
    'SELECT 1',
    'UPDATE t SET n = 1',
    "SET LOCAL search_path = 'a'",
    'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
    'SET CONSTRAINTS ALL DEFERRED',
    "SET TimeZone = 'UTC'",
    "SET SESSION client_encoding = 'UTF8'",
    "SELECT set_config('a.b', 'c', true)",
    'SELECT pg_advisory_xact_lock(1)',
    'CREATE TEMP TABLE t (n int) ON COMMIT DROP',
    "PREPARE TRANSACTION 'x'",
    'DECLARE c CURSOR FOR SELECT 1',
    "INSERT INTO t VALUES ('; LISTEN x', 'SELECT pg_advisory_lock(1)')",
    'SELECT "set" FROM "listen"; -- SET x = 1',
    'CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ SELECT pg_advisory_lock(1) $$',
    'SELECT n AS temp FROM temperatures WHERE set > 1',
  ])('is not seen in %j', (text) => {
    expect(sessionFeatureOf(text)).toBeUndefined();
  });
});
