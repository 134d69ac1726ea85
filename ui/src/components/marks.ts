/** Texts cut where something in them is marked. */
export interface Mark {
  start: number;
  end: number;
  tone: string;
}

export interface Piece {
  text: string;
  tone: string | null;
}

/** The text in pieces; where marks overlap the first one holds. Marks beyond the text are left out. */
export function cutAt(text: string, marks: readonly Mark[]): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const mark of [...marks].sort((a, b) => a.start - b.start)) {
    const start = Math.max(mark.start, at);
    const end = Math.min(mark.end, text.length);
    if (start >= end) continue;
    if (start > at) pieces.push({ text: text.slice(at, start), tone: null });
    pieces.push({ text: text.slice(start, end), tone: mark.tone });
    at = end;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), tone: null });
  return pieces;
}
