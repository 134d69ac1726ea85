import { describe, expect, it } from 'vitest';

import { bounds, bytes, count, duration, latency, loss, plural, relativeTime, timeLeft } from './format';

describe('figures', () => {
  it('have their thousands apart', () => expect(count(1_004_312)).toBe('1,004,312'));
  it('of a loss have three digits', () => expect([1.1, 0.41234].map(loss)).toEqual(['1.100', '0.412']));
  it('of one thing are not plural', () =>
    expect([plural(1, 'line'), plural(2, 'line')]).toEqual(['1 line', '2 lines']));
  it('of size have a unit', () =>
    expect([512, 839_073, 412e6].map(bytes)).toEqual(['512 bytes', '839.1 KB', '412 MB']));
  it('of unknown bounds say so', () =>
    expect([bounds(8, null), bounds(8, 200_000)]).toEqual(['at least 8', '8 to 200,000']));
});

describe('times', () => {
  it('are told in two units at most', () => {
    expect([-5, 42_000, 247_000, 7_500_000].map(duration)).toEqual([
      '0 s',
      '42 s',
      '4 min 07 s',
      '2 h 05 min',
    ]);
  });
  it('left are coarser, being estimates', () => {
    expect([3, 24, 161, 5400].map(timeLeft)).toEqual([
      'a few seconds',
      'about 25 s',
      'about 3 min',
      'about 1.5 h',
    ]);
  });
  it('of waiting are milliseconds, then seconds', () =>
    expect([41, 1234].map(latency)).toEqual(['41 ms', '1.2 s']));
  it('past are relative to now', () => {
    const now = 1_700_000_000_000;
    expect([0, 4 * 60_000, 86_400_000].map((ago) => relativeTime(now - ago, now))).toEqual([
      'just now',
      '4 minutes ago',
      'yesterday',
    ]);
  });
});
