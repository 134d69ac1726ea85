/**
 * Where a list of any length stands when the browser can only lay out so much.
 *
 * WebKit clips heights near 33.5 million pixels, others much earlier; a million rows of 32 px are 32 million. Beyond
 * `MAX_HEIGHT` the scroll bar therefore covers a shorter stretch than the list, in proportion. Wheel and keyboard
 * move in the list's own pixels, so that a notch is a notch however long the list is.
 */
export const MAX_HEIGHT = 8_000_000;

export interface ScrollMap {
  /** Height of what the browser lays out. */
  readonly laidOut: number;
  /** Height of the list itself. */
  readonly full: number;
  /** The furthest the list's top can be above the view. */
  readonly furthest: number;
  readonly compressed: boolean;
  /** From the browser's scroll position to the list's own. */
  toList(scrollTop: number): number;
  /** From the list's own position to the browser's. */
  toScroll(listTop: number): number;
}

export function scrollMap(
  rows: number,
  rowHeight: number,
  viewHeight: number,
  maxHeight = MAX_HEIGHT,
): ScrollMap {
  const full = rows * rowHeight;
  const laidOut = Math.min(full, Math.max(maxHeight, viewHeight));
  const furthest = Math.max(0, full - viewHeight);
  const scrollRange = Math.max(0, laidOut - viewHeight);
  const clamp = (value: number, most: number): number => Math.min(Math.max(value, 0), most);
  const ratio = scrollRange > 0 ? furthest / scrollRange : 1;
  return {
    laidOut,
    full,
    furthest,
    compressed: full > laidOut,
    toList: (scrollTop) => clamp(clamp(scrollTop, scrollRange) * ratio, furthest),
    toScroll: (listTop) => clamp(clamp(listTop, furthest) / ratio, scrollRange),
  };
}

/** First row in view and the one after the last, with a few to spare at both ends. */
export function visibleRows(
  listTop: number,
  viewHeight: number,
  rowHeight: number,
  rows: number,
  spare = 4,
): { first: number; end: number } {
  const first = Math.max(0, Math.floor(listTop / rowHeight) - spare);
  const end = Math.min(rows, Math.ceil((listTop + viewHeight) / rowHeight) + spare);
  return { first: Math.min(first, end), end };
}

/** The list's position that brings a row into view with the least movement. */
export function reveal(row: number, listTop: number, viewHeight: number, rowHeight: number): number {
  const top = row * rowHeight;
  if (top < listTop) return top;
  if (top + rowHeight > listTop + viewHeight) return top + rowHeight - viewHeight;
  return listTop;
}
