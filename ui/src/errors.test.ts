import { describe, expect, it } from 'vitest';

import contract from './contract/index.ts?raw';
import { errorTable, wordsFor } from './errors';
import type { ErrorCode } from './contract';

/** The codes as the contract spells them, read from the generated file itself. */
function codesOfTheContract(): string[] {
  const line = /export type ErrorCode = ([^;]+);/.exec(contract)?.[1] ?? '';
  return line.split('|').map((part) => part.trim().replaceAll('"', ''));
}

describe('the table of errors', () => {
  it('has words for every code of the contract and for no other', () => {
    const codes = codesOfTheContract();
    expect(codes.length).toBeGreaterThan(5);
    expect(Object.keys(errorTable).sort()).toEqual([...codes].sort());
  });

  it('gives every code a heading of its own', () => {
    const headings = Object.values(errorTable).map((words) => words.heading);
    expect(new Set(headings).size).toBe(headings.length);
    expect(headings.every((heading) => heading.length > 3)).toBe(true);
  });

  it('treats a code it has never heard of as a fault, not as nothing', () => {
    expect(wordsFor('somethingNewer' as ErrorCode)).toBe(errorTable.bug);
  });
});
