import { expect, it } from 'vitest';

import { cutAt } from './marks';

it('a text is cut where it is marked, and nothing of it is lost', () => {
  const text = 'I am User: sorry';
  const pieces = cutAt(text, [{ start: 5, end: 10, tone: 'error' }]);
  expect(pieces).toEqual([
    { text: 'I am ', tone: null },
    { text: 'User:', tone: 'error' },
    { text: ' sorry', tone: null },
  ]);
});

it('marks may overlap, touch the end, or lie beyond it', () => {
  const text = 'abcdef';
  const pieces = cutAt(text, [
    { start: 3, end: 99, tone: 'warning' },
    { start: 1, end: 4, tone: 'error' },
    { start: 50, end: 60, tone: 'note' },
  ]);
  expect(pieces.map((piece) => piece.text).join('')).toBe(text);
  expect(pieces.map((piece) => piece.tone)).toEqual([null, 'error', 'warning']);
});
