/**
 * A line of JSON laid out for reading, and put back on one line. Only white space between the parts changes: order,
 * numbers, escapes and doubled members stay as they were written.
 */

/** The text in pieces: strings whole, marks one by one, everything else as it stands; white space between is left out. */
function* pieces(text: string): Generator<{ piece: string; end: number }> {
  let at = 0;
  while (at < text.length) {
    const sign = text.charAt(at);
    if (/\s/.test(sign)) {
      at += 1;
      continue;
    }
    let end = at + 1;
    if (sign === '"') {
      while (end < text.length && text.charAt(end) !== '"') end += text.charAt(end) === '\\' ? 2 : 1;
      end = Math.min(end + 1, text.length);
    } else if (!'{}[],:'.includes(sign)) {
      while (end < text.length && !/[\s{}[\],:"]/.test(text.charAt(end))) end += 1;
    }
    yield { piece: text.slice(at, end), end };
    at = end;
  }
}

/** One part to a line, indented. */
export function layOut(line: string): string {
  let depth = 0;
  let out = '';
  let opened = false;
  for (const { piece } of pieces(line)) {
    const closes = piece === '}' || piece === ']';
    if (closes) depth = Math.max(0, depth - 1);
    if (closes && !opened) out += `\n${'  '.repeat(depth)}`;
    if (opened && !closes) out += `\n${'  '.repeat(depth)}`;
    opened = piece === '{' || piece === '[';
    if (opened) depth += 1;
    out += piece;
    if (piece === ',') out += `\n${'  '.repeat(depth)}`;
    else if (piece === ':') out += ' ';
  }
  return out;
}

/** Whether a line is written with a space behind its marks, as some programs do. */
export function isSpaced(line: string): boolean {
  for (const { piece, end } of pieces(line)) {
    if (piece === ':' || piece === ',') return line.charAt(end) === ' ';
  }
  return false;
}

/** Back on one line, with or without a space behind the marks. */
export function onOneLine(text: string, spaced: boolean): string {
  let out = '';
  for (const { piece } of pieces(text))
    out += spaced && (piece === ',' || piece === ':') ? `${piece} ` : piece;
  return out;
}
