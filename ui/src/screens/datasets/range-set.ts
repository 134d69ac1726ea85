/** Sets of whole numbers as sorted stretches, so that a million chosen records take no more room than one. Never changed in place. */
import type { Span } from '../../contract';

export class RangeSet {
  readonly spans: readonly Span[];
  readonly count: number;

  private constructor(spans: readonly Span[]) {
    this.spans = spans;
    this.count = spans.reduce((sum, span) => sum + span.end - span.start, 0);
  }

  static readonly empty = new RangeSet([]);

  static of(spans: readonly Span[]): RangeSet {
    return new RangeSet(joined(spans));
  }

  has(value: number): boolean {
    let low = 0;
    let high = this.spans.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const span = this.spans[middle];
      if (!span) return false;
      if (value < span.start) high = middle - 1;
      else if (value >= span.end) low = middle + 1;
      else return true;
    }
    return false;
  }

  with(spans: readonly Span[]): RangeSet {
    return RangeSet.of([...this.spans, ...spans]);
  }

  without(gone: Span): RangeSet {
    if (gone.start >= gone.end) return this;
    const left = this.spans.flatMap((span) => {
      if (span.end <= gone.start || span.start >= gone.end) return [span];
      return [
        { start: span.start, end: Math.min(span.end, gone.start) },
        { start: Math.max(span.start, gone.end), end: span.end },
      ].filter((part) => part.start < part.end);
    });
    return new RangeSet(left);
  }

  toggle(value: number): RangeSet {
    const one = { start: value, end: value + 1 };
    return this.has(value) ? this.without(one) : this.with([one]);
  }
}

function joined(spans: readonly Span[]): Span[] {
  const sorted = spans.filter((span) => span.start < span.end).sort((a, b) => a.start - b.start);
  const out: Span[] = [];
  for (const span of sorted) {
    const last = out.at(-1);
    if (last && span.start <= last.end) out[out.length - 1] = { ...last, end: Math.max(last.end, span.end) };
    else out.push({ start: span.start, end: span.end });
  }
  return out;
}
