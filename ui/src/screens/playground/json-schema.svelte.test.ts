import { flushSync, mount, unmount } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';

import SchemaVerdict from './SchemaVerdict.svelte';
import { judge, readSchema, type Verdict } from './json-schema';

const SCHEMA = {
  type: 'object',
  required: ['label'],
  additionalProperties: false,
  properties: {
    label: { enum: ['card', 'rate'] },
    tags: { type: 'array', items: { type: 'string' } },
    'a/b': { $ref: '#/$defs/count' },
  },
  $defs: { count: { type: 'integer', minimum: 0 } },
};

function verdict(answer: string, schema: object = SCHEMA): Verdict {
  const { validator, error } = readSchema(JSON.stringify(schema));
  if (!validator) throw new Error(error ?? 'no schema');
  return judge(validator, answer);
}

const paths = (found: Verdict): string[] =>
  found.state === 'invalid' ? found.problems.map((one) => one.path) : [found.state];

let shown: ReturnType<typeof mount> | null = null;

afterEach(async () => {
  if (shown) await unmount(shown);
  shown = null;
});

describe('an answer', () => {
  it('that fits is valid, white space around it or not', () => {
    expect(verdict(' {"label":"card","tags":["x"],"a/b":3}\n')).toEqual({ state: 'valid' });
  });

  it('that does not fit is told with the paths at fault, and only those', () => {
    const found = verdict('{"label":"loan","tags":["x",1],"a/b":-1,"extra":true}');
    expect(paths(found)).toEqual(['/label', '/tags/1', '/a~1b', '/extra']);
    expect(found.state === 'invalid' && found.problems[3]?.what).toBe('It is not allowed here.');
    expect(paths(verdict('{}'))).toEqual(['']);
  });

  it('that is no JSON, or long beyond measure, is not checked', () => {
    expect(verdict('Sure! {"label":"card"}')).toEqual({ state: 'unchecked', why: 'The answer is not JSON.' });
    expect(verdict(`"${'x'.repeat(200_000)}"`).state).toBe('unchecked');
  });

  it('is shown with its problems as text', () => {
    const { validator } = readSchema(JSON.stringify(SCHEMA));
    if (!validator) throw new Error('no schema');
    const extra = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`<b>${at}\u202e`, 1]));
    const text = JSON.stringify({ label: 'card', ...extra });
    shown = mount(SchemaVerdict, { target: document.body, props: { text, validator } });
    flushSync();
    expect(document.querySelector('b')).toBeNull();
    expect(document.body.textContent).toContain('/<b>0⟨U+202E⟩');
    expect(document.querySelectorAll('li')).toHaveLength(6);
    expect(document.body.textContent).toContain('and 3 more');
  });
});

describe('a schema', () => {
  it('that cannot be read says why, and none at all is no error', () => {
    expect(readSchema('  ')).toEqual({ validator: null, error: null });
    expect(readSchema('[1]').error).toBe('A schema is a JSON object.');
    expect(readSchema('{"type":').error).not.toBeNull();
  });

  it('of an older draft is read as that draft', () => {
    const draft7 = { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'string' }] };
    expect(paths(verdict('[1]', draft7))).toEqual(['/0']);
  });

  it('whose references or patterns lead nowhere checks nothing, and says so', () => {
    expect(verdict('"x"', { $ref: 'https://schemas.example/s.json' })).toMatchObject({ state: 'unchecked' });
    expect(verdict('"x"', { pattern: '(' })).toMatchObject({ state: 'unchecked' });
  });
});
