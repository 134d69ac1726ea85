import { describe, expect, it } from 'vitest';

import { MAX_HEIGHT, reveal, scrollMap, visibleRows } from './scroll-map';

const ROW = 32;
const VIEW = 640;

describe('a list of a million rows', () => {
  const rows = 1_000_000;
  const map = scrollMap(rows, ROW, VIEW);

  it('never asks the browser for more height than it can lay out', () => {
    expect(map.full).toBe(rows * ROW);
    expect(map.laidOut).toBe(MAX_HEIGHT);
    expect(map.compressed).toBe(true);
  });

  it('shows its first row at the top and its last row at the bottom of the scroll bar', () => {
    expect(visibleRows(map.toList(0), VIEW, ROW, rows, 0).first).toBe(0);
    const bottom = map.toList(map.laidOut - VIEW);
    expect(visibleRows(bottom, VIEW, ROW, rows, 0)).toEqual({ first: rows - 20, end: rows });
  });

  it('finds every row again after the way through the scroll bar, to within a row', () => {
    for (let row = 0; row < rows - 20; row += 9_973) {
      const back = map.toList(Math.round(map.toScroll(row * ROW)));
      expect(Math.abs(back / ROW - row)).toBeLessThan(1);
    }
  });

  it('moves only downwards when the scroll bar does', () => {
    let before = -1;
    for (let scroll = 0; scroll <= map.laidOut; scroll += 12_345) {
      const here = map.toList(scroll);
      expect(here).toBeGreaterThanOrEqual(before);
      before = here;
    }
  });

  it('stays inside the list when asked for places outside of it', () => {
    expect(map.toList(-50)).toBe(0);
    expect(map.toList(1e12)).toBe(map.furthest);
    expect(map.toScroll(1e12)).toBe(map.laidOut - VIEW);
  });

  it('draws a handful of rows, not a million', () => {
    const { first, end } = visibleRows(16_000_000, VIEW, ROW, rows);
    expect(end - first).toBeLessThan(32);
  });
});

describe('a list that the browser can lay out', () => {
  it('is scrolled by the browser alone', () => {
    const map = scrollMap(10_003, ROW, VIEW);
    expect(map.compressed).toBe(false);
    expect(map.toList(1234)).toBe(1234);
    expect(map.toScroll(1234)).toBe(1234);
  });

  it('may be empty, or shorter than the view', () => {
    expect(visibleRows(0, VIEW, ROW, 0)).toEqual({ first: 0, end: 0 });
    const map = scrollMap(3, ROW, VIEW);
    expect(map.furthest).toBe(0);
    expect(map.toList(50)).toBe(0);
  });
});

describe('bringing a row into view', () => {
  it('moves no further than it must', () => {
    expect(reveal(5, 0, VIEW, ROW)).toBe(0);
    expect(reveal(20, 0, VIEW, ROW)).toBe(ROW);
    expect(reveal(3, 320, VIEW, ROW)).toBe(96);
  });
});
