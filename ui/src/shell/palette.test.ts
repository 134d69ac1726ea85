import { describe, expect, it } from 'vitest';

import { rank, score, type Command } from './palette';

const command = (group: string, label: string): Command => ({
  id: label,
  group,
  label,
  run: () => undefined,
});

describe('the command palette', () => {
  it('prefers a beginning, then a word, then a part, then letters in order', () => {
    expect(score('banking77', 'bank')).toBe(3);
    expect(score('my-banking', 'bank')).toBe(2);
    expect(score('embankment', 'bank')).toBe(1);
    expect(score('b-a-n-k', 'bank')).toBe(0);
    expect(score('jobs', 'bank')).toBe(-1);
  });

  it('keeps groups together, the best answer first', () => {
    const found = rank(
      [
        command('Go to', 'Jobs'),
        command('Datasets', 'banking77'),
        command('Jobs', 'job-banking'),
        command('Go to', 'Home'),
      ],
      'ba',
    );
    expect(found.map((one) => one.label)).toEqual(['banking77', 'job-banking']);
  });

  it('offers everything before anything is typed', () => {
    expect(rank([command('a', 'x'), command('b', 'y')], ' ')).toHaveLength(2);
  });
});
