/**
 * An answer held to a JSON schema.
 *
 * The validator walks the schema; those that compile it into code are not allowed to by the window's content security
 * policy. It fetches nothing: a reference leads to a place in the same schema, or nowhere.
 */
import { Validator, type OutputUnit, type Schema, type SchemaDraft } from '@cfworker/json-schema';

export interface ReadSchema {
  /** Null where there is none, or it cannot be read. */
  validator: Validator | null;
  error: string | null;
}

export interface Problem {
  /** A JSON pointer into the answer; empty for the whole of it. */
  path: string;
  what: string;
}

export type Verdict =
  | { state: 'valid' }
  | { state: 'invalid'; problems: Problem[] }
  /** It is no JSON, or cannot be checked; `why` says which. */
  | { state: 'unchecked'; why: string };

/** A longer answer is not looked at. */
const LONGEST = 200_000;
const NEWEST: SchemaDraft = '2020-12';
const DRAFTS: readonly (readonly [string, SchemaDraft])[] = [
  ['draft-04', '4'],
  ['draft-07', '7'],
  ['2019-09', '2019-09'],
];

const words = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

export function readSchema(text: string): ReadSchema {
  if (text.trim() === '') return { validator: null, error: null };
  try {
    const schema: unknown = JSON.parse(text);
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
      return { validator: null, error: 'A schema is a JSON object.' };
    }
    const named = '$schema' in schema ? String(schema.$schema) : '';
    const draft = DRAFTS.find(([name]) => named.includes(name))?.[1] ?? NEWEST;
    return { validator: new Validator(schema as Schema, draft, false), error: null };
  } catch (thrown) {
    return { validator: null, error: words(thrown) };
  }
}

export function judge(validator: Validator, answer: string): Verdict {
  if (answer.length > LONGEST) return { state: 'unchecked', why: 'The answer is too long to be checked.' };
  let value: unknown;
  try {
    value = JSON.parse(answer);
  } catch {
    return { state: 'unchecked', why: 'The answer is not JSON.' };
  }
  try {
    const { valid, errors } = validator.validate(value);
    return valid ? { state: 'valid' } : { state: 'invalid', problems: causes(errors).map(problem) };
  } catch (thrown) {
    return { state: 'unchecked', why: `The schema cannot be applied: ${words(thrown).split('\n')[0] ?? ''}` };
  }
}

/** That a part does not fit makes what it is in not fit either; only the parts are told. */
function causes(errors: readonly OutputUnit[]): OutputUnit[] {
  const unwanted = errors.some((one) => one.keyword === 'false');
  return errors.filter(
    (one) =>
      !errors.some((other) => other.keywordLocation.startsWith(`${one.keywordLocation}/`)) &&
      !(unwanted && /^(additional|unevaluated)/.test(one.keyword)),
  );
}

function problem(error: OutputUnit): Problem {
  const path = decodeURIComponent(error.instanceLocation.slice(1));
  return { path, what: error.keyword === 'false' ? 'It is not allowed here.' : error.error };
}
