import type { CustomTypesConfig } from 'pg';
import pg from 'pg';
import { BatchError } from '../../errors/batch.error.js';
import { InvalidPoolOptionsError, type OptionProblem } from '../../errors/invalid-options.error.js';
import { ArgumentCheck } from '../options/argument-check.js';
import { isSubmittable } from './submittable.js';
import { isTransactionControl } from './transaction-control.js';

/** A statement of a batch, as `pg` takes it. */
export interface BatchStatementConfig {
  /** One statement. */
  readonly text: string;
  readonly values?: readonly unknown[] | null | undefined;
  /** Prepares it once for each connection, under this name. */
  readonly name?: string | undefined;
  /** `'array'` gives rows as arrays instead of objects. */
  readonly rowMode?: 'array' | undefined;
  /** Type parsers of this statement's own. */
  readonly types?: CustomTypesConfig | undefined;
}

/** A text, or a text with what belongs to it. */
export type BatchStatement = string | BatchStatementConfig;

/** How a batch runs. */
export interface BatchOptions {
  /** Isolation level of the batch. Default: that of the session. */
  readonly isolation?: 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';
  /** Whether it is READ ONLY, or READ WRITE although the session is not. Default: as the session. */
  readonly readOnly?: boolean;
  /**
   * Longest wait for the answer to all of it in milliseconds, from when it is sent; then the server
   * is asked to cancel it. 0 waits without limit. Default: as for a single statement.
   */
  readonly timeoutMs?: number;
  /** Asks the server to cancel the batch when it fires. */
  readonly signal?: AbortSignal;
  /** Name of the batch for messages. */
  readonly label?: string;
}

/** One statement on its way: checked, its values as they travel. */
export interface BatchStep {
  /** Place in the caller's list, or which of ours it is. */
  readonly at: number | 'begin' | 'commit';
  readonly text: string;
  readonly name?: string | undefined;
  readonly values: readonly WireValue[];
  readonly rowMode?: 'array' | undefined;
  readonly types?: CustomTypesConfig | undefined;
  readonly binary?: boolean | undefined;
}

/** A value as it travels: a text, bytes, or NULL. */
export type WireValue = string | Buffer | null;

/** What the protocol can count. */
const MOST_VALUES = 65_535;
const LEVELS = ['read uncommitted', 'read committed', 'repeatable read', 'serializable'];
const OPTIONS = ['isolation', 'readOnly', 'timeoutMs', 'signal', 'label'];
const OWN_LIMITS = ['timeoutMs', 'signal', 'query_timeout'];
/** The server would wait for data in the middle of the batch, or send some that nobody reads. */
const COPIES_TO_CLIENT = /^\s*copy\b.*\b(stdin|stdout)\b/is;

/** Not declared by the types of pg. */
const { utils } = pg as unknown as { utils: { prepareValue(value: unknown): WireValue | number } };

/**
 * The caller's statements, checked.
 *
 * @throws InvalidPoolOptionsError that lists everything that is wrong
 * @throws BatchError for a value that cannot travel
 */
export function readStatements(pool: string, statements: unknown): BatchStep[] {
  if (!Array.isArray(statements)) {
    throw wrong([problem(pool, 'batch', 'must be an array of statements', statements)]);
  }
  const given = Array.from(statements as unknown[]);
  const problems = given.flatMap((statement, at) =>
    problemsOf(statement).map(([member, allowed, is]) =>
      problem(pool, `batch[${at}]${member}`, allowed, is),
    ),
  );
  if (problems.length > 0) throw wrong(problems);
  return given.map((statement, at) => stepOf(pool, statement as BatchStatement, at));
}

/** What is wrong with the options of a batch; undefined when nothing is. */
export function wrongOptions(pool: string, options: BatchOptions): Error | undefined {
  const check = new ArgumentCheck(pool);
  check.limits(options);
  const { isolation, readOnly, label } = options;
  if (isolation !== undefined && !LEVELS.includes(isolation)) {
    check.refuse(
      'isolation',
      isolation,
      `one of ${LEVELS.map((level) => `'${level}'`).join(', ')}`,
    );
  }
  if (readOnly !== undefined && typeof readOnly !== 'boolean') {
    check.refuse('readOnly', readOnly, 'true or false');
  }
  if (label !== undefined && typeof label !== 'string') check.refuse('label', label, 'a text');
  for (const key of Object.keys(options)) {
    if (!OPTIONS.includes(key)) check.refuse(key, key, `one of ${OPTIONS.join(', ')}`);
  }
  return check.error;
}

/** The statement that begins it. */
export function beginText({ isolation, readOnly }: Beginning): string {
  const level = isolation === undefined ? '' : ` ISOLATION LEVEL ${isolation.toUpperCase()}`;
  const access = readOnly === undefined ? '' : readOnly ? ' READ ONLY' : ' READ WRITE';
  return `BEGIN${level}${access}`;
}

/** What BEGIN says of its transaction; what is undefined is left to the server. */
interface Beginning {
  readonly isolation?: BatchOptions['isolation'] | undefined;
  readonly readOnly?: boolean | undefined;
}

type Finding = [member: string, allowed: string, is?: unknown];

function problemsOf(statement: unknown): Finding[] {
  if (typeof statement === 'string') return textProblems('', statement);
  if (typeof statement !== 'object' || statement === null) {
    return [['', 'must be a text or { text, values }', statement]];
  }
  if (isSubmittable(statement)) {
    return [['', 'must be a text or { text, values }: a batch runs no cursor, stream or COPY']];
  }
  const { text, values, name } = statement as Record<string, unknown>;
  const findings = textProblems('.text', text);
  if (values !== undefined && values !== null && !Array.isArray(values)) {
    findings.push(['.values', 'must be an array', values]);
  } else if ((values?.length ?? 0) > MOST_VALUES) {
    findings.push(['.values', `may hold at most ${MOST_VALUES}`]);
  }
  if (name !== undefined && (typeof name !== 'string' || name.includes('\0'))) {
    findings.push(['.name', 'must be a text', name]);
  }
  for (const limit of OWN_LIMITS) {
    if (Object.hasOwn(statement, limit)) {
      findings.push([`.${limit}`, 'is for a single statement: give the batch one as an option']);
    }
  }
  return findings;
}

function textProblems(member: string, text: unknown): Finding[] {
  if (typeof text !== 'string') return [[member, 'must be a text', text]];
  if (text.includes('\0')) return [[member, 'must be a text without a zero byte']];
  if (isTransactionControl(text)) {
    return [[member, 'must neither begin nor end a transaction: the batch is one already']];
  }
  if (COPIES_TO_CLIENT.test(text)) {
    return [[member, 'must be no COPY from or to the client: a batch has no stream for it']];
  }
  return [];
}

/** Never what a value is: only of what kind. */
function problem(pool: string, option: string, allowed: string, given?: unknown): OptionProblem {
  const is = given === undefined ? '' : `; it is ${kindOf(given)}`;
  return { pool, option, message: `${option} ${allowed}${is}` };
}

function kindOf(given: unknown): string {
  if (given === null) return 'null';
  if (Array.isArray(given)) return 'an array';
  return typeof given === 'object' ? 'an object' : `a ${typeof given}`;
}

function wrong(problems: OptionProblem[]): Error {
  return new InvalidPoolOptionsError(problems);
}

function stepOf(pool: string, statement: BatchStatement, at: number): BatchStep {
  if (typeof statement === 'string') return { at, text: statement, values: [] };
  const { text, values, name, rowMode, types } = statement;
  const { binary } = statement as { binary?: boolean };
  try {
    // A falsy name is none, as in pg.
    return {
      at,
      text,
      name: name || undefined,
      values: (values ?? []).map(asItTravels),
      rowMode,
      types,
      binary,
    };
  } catch (cause) {
    const advice = 'one of its values cannot be turned into a parameter';
    const failure = { at, statementName: name, outcome: 'nothing sent', advice, cause } as const;
    throw new BatchError(pool, failure);
  }
}

function asItTravels(value: unknown): WireValue {
  // Undefined where an object's own toJSON() returns it, a number where its toString() does.
  const prepared = utils.prepareValue(value) ?? null;
  return typeof prepared === 'object' ? prepared : String(prepared);
}
