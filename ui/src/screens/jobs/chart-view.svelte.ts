/**
 * One loss chart: what is asked for, the picture that came back, the stretch that is shown, and the cursor over it.
 *
 * The picture is drawn by the workbench. One request is under way at a time, and the newest wish follows it, so that
 * dragging the slider or the wheel is answered as fast as pictures come.
 */
import type {
  AppError,
  Chart,
  ChartAxis,
  ChartLine,
  ChartPoint,
  ChartRange,
  ChartRequest,
  ChartSeries,
} from '../../contract';
import { call, toAppError } from '../../platform';
import { remember, remembered } from '../../state/preferences.svelte';
import { chartPalette, runColours } from '../../state/theme-tokens';

/** A stretch smaller than this share of the run is not zoomed into any further. */
const SMALLEST = 1e-5;

/** What the cursor reads of one line. */
export interface Reading {
  line: ChartLine;
  point: ChartPoint;
}

export class ChartView {
  readonly jobs: readonly string[];
  #smoothing = $state(Number(remembered('smoothing') ?? '0.6'));
  #logScale = $state(remembered('logScale') === 'yes');
  #clip = $state(remembered('clipOutliers') === 'yes');
  #axis = $state<ChartAxis>('step');
  #series = $state<ChartSeries>('both');
  #range = $state.raw<ChartRange | null>(null);
  /** All of the run, as the picture without a zoom showed it. */
  #whole: ChartRange | null = null;
  #chart = $state.raw<Chart | null>(null);
  #error = $state.raw<AppError | null>(null);
  /** Pixels from the picture's left edge. */
  #cursor = $state<number | null>(null);
  #size = { width: 0, height: 0 };
  #drawing = false;
  #again = false;

  constructor(jobs: readonly string[]) {
    this.jobs = jobs;
  }

  get smoothing(): number {
    return this.#smoothing;
  }
  set smoothing(value: number) {
    this.#smoothing = value;
    remember('smoothing', String(value));
  }
  get logScale(): boolean {
    return this.#logScale;
  }
  set logScale(value: boolean) {
    this.#logScale = value;
    remember('logScale', value ? 'yes' : null);
  }
  get clip(): boolean {
    return this.#clip;
  }
  set clip(value: boolean) {
    this.#clip = value;
    remember('clipOutliers', value ? 'yes' : null);
  }
  get axis(): ChartAxis {
    return this.#axis;
  }
  set axis(value: ChartAxis) {
    this.#axis = value;
    this.#range = null;
    this.#whole = null;
    this.#cursor = null;
  }
  get series(): ChartSeries {
    return this.#series;
  }
  set series(value: ChartSeries) {
    this.#series = value;
  }
  get range(): ChartRange | null {
    return this.#range;
  }
  get chart(): Chart | null {
    return this.#chart;
  }
  get error(): AppError | null {
    return this.#error;
  }

  /** Where the cursor is: the place on the axis, and what each line says nearest to it. */
  get reading(): { at: number; x: number; lines: Reading[] } | null {
    const x = this.#cursor;
    if (x === null || !this.#chart) return null;
    const lines = this.#chart.lines.flatMap((line): Reading[] => {
      const point = nearest(line.points, x);
      return point ? [{ line, point }] : [];
    });
    const first = closest(lines, x);
    return first ? { at: first.point.at, x: first.point.x, lines } : null;
  }

  request(): ChartRequest {
    return {
      jobs: [...this.jobs],
      width: Math.round(this.#size.width),
      height: Math.round(this.#size.height),
      density: window.devicePixelRatio,
      smoothing: this.#smoothing,
      logScale: this.#logScale,
      clipOutliers: this.#clip,
      axis: this.#axis,
      series: this.#series,
      range: this.#range,
      palette: chartPalette(),
      runColours: runColours(),
    };
  }

  /** Draws at this size; while a picture is under way the wish is kept for the next. */
  async draw(width: number, height: number): Promise<void> {
    this.#size = { width, height };
    if (this.#drawing) {
      this.#again = true;
      return;
    }
    this.#drawing = true;
    try {
      do {
        this.#again = false;
        const request = this.request();
        const chart = await call('job_chart', request);
        this.#chart = chart;
        this.#error = null;
        if (request.range === null) this.#whole = chart.shown;
      } while (this.#again);
    } catch (thrown) {
      this.#error = toAppError(thrown);
    } finally {
      this.#drawing = false;
    }
  }

  point(x: number | null): void {
    this.#cursor = x;
  }

  /** Moves the cursor by so many places of the densest line; from nowhere it comes in at the end. */
  step(by: number): void {
    const chart = this.#chart;
    const line = chart?.lines.reduce<ChartLine | null>(
      (most, one) => (most && most.points.length >= one.points.length ? most : one),
      null,
    );
    if (!line || line.points.length === 0) return;
    const last = line.points.length - 1;
    let place = by > 0 ? 0 : last;
    if (this.#cursor !== null) {
      const now = nearest(line.points, this.#cursor);
      const at = now ? line.points.indexOf(now) : last;
      place = Math.min(Math.max(at + by, 0), last);
    }
    this.#cursor = line.points[place]?.x ?? null;
  }

  /** Shows what lies between two pixels. */
  select(from: number, to: number): void {
    const [left, right] = from < to ? [from, to] : [to, from];
    const [low, high] = [this.#placeOf(left), this.#placeOf(right)];
    if (low !== null && high !== null) this.#show(low, high);
  }

  /** A factor below 1 shows less, around a pixel that keeps its place (or the cursor, or the middle). */
  zoom(factor: number, around: number | null = this.#cursor): void {
    const chart = this.#chart;
    const shown = chart?.shown;
    if (!chart || !shown) return;
    const middle = around ?? (chart.plot.left + chart.plot.right) / 2;
    const at = this.#placeOf(middle) ?? shown.from;
    this.#show(at - (at - shown.from) * factor, at + (shown.to - at) * factor);
  }

  /** Moves what is shown by a share of its width. */
  pan(share: number): void {
    const shown = this.#chart?.shown;
    const whole = this.#whole;
    if (!shown || !whole || this.#range === null) return;
    const width = shown.to - shown.from;
    const from = Math.min(Math.max(shown.from + share * width, whole.from), whole.to - width);
    this.#range = { from, to: from + width };
  }

  reset(): void {
    this.#range = null;
  }

  #placeOf(x: number): number | null {
    const chart = this.#chart;
    if (!chart?.shown) return null;
    const { left, right } = chart.plot;
    const share = Math.min(Math.max((x - left) / (right - left), 0), 1);
    return chart.shown.from + share * (chart.shown.to - chart.shown.from);
  }

  #show(from: number, to: number): void {
    const whole = this.#whole;
    if (!whole) return;
    const low = Math.max(from, whole.from);
    const high = Math.min(to, whole.to);
    if (high - low < (whole.to - whole.from) * SMALLEST) return;
    this.#range = low <= whole.from && high >= whole.to ? null : { from: low, to: high };
  }
}

/** The point whose pixel is nearest; points are in order. */
export function nearest(points: readonly ChartPoint[], x: number): ChartPoint | null {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.x ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  const after = points[low];
  const before = points[low - 1];
  if (!after) return null;
  return before && x - before.x < after.x - x ? before : after;
}

function closest(lines: readonly Reading[], x: number): Reading | null {
  return lines.reduce<Reading | null>(
    (best, one) => (best && Math.abs(best.point.x - x) <= Math.abs(one.point.x - x) ? best : one),
    null,
  );
}
