import { describe, expect, it } from 'vitest';

import { RangeSet } from './range-set';

describe('a set of ranges', () => {
  it('holds what a plain set holds, whatever is put in and taken out', () => {
    let seed = 7;
    const chance = (most: number): number => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed % most;
    };
    let ranges = RangeSet.empty;
    const plain = new Set<number>();
    for (let step = 0; step < 600; step += 1) {
      const start = chance(60);
      const end = start + chance(8);
      const kind = chance(3);
      if (kind === 0) {
        ranges = ranges.with([{ start, end }]);
        for (let one = start; one < end; one += 1) plain.add(one);
      } else if (kind === 1) {
        ranges = ranges.without({ start, end });
        for (let one = start; one < end; one += 1) plain.delete(one);
      } else {
        ranges = ranges.toggle(start);
        if (!plain.delete(start)) plain.add(start);
      }
      expect(ranges.count).toBe(plain.size);
      for (let one = 0; one < 70; one += 1) expect(ranges.has(one)).toBe(plain.has(one));
      const touching = ranges.spans.some((span, at) => span.end >= (ranges.spans[at + 1]?.start ?? Infinity));
      expect(touching).toBe(false);
    }
  });

  it('takes a million records as one stretch', () => {
    expect(RangeSet.of([{ start: 0, end: 1_000_000 }]).spans).toHaveLength(1);
  });
});
