import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { install, later } from '../../../testing/install';
import { lossChart } from '../../../testing/loss-chart';
import type { TestHost } from '../../../testing/test-host';
import type { Chart } from '../../contract';
import { ChartView, nearest } from './chart-view.svelte';

describe('a chart', () => {
  let host: TestHost;
  let view: ChartView;

  beforeEach(async () => {
    window.localStorage.clear();
    host = install({ job_chart: (request) => lossChart(request) });
    view = new ChartView(['j-1']);
    await view.draw(600, 300);
  });

  afterEach(() => window.localStorage.clear());

  it('shows what was dragged over, and all of it again', async () => {
    const { left, right } = view.chart?.plot ?? { left: 0, right: 0 };
    view.select(left + (right - left) / 2, left + (right - left) / 4);
    expect(view.range?.from).toBeCloseTo(69);
    expect(view.range?.to).toBeCloseTo(138);
    await view.draw(600, 300);
    expect(host.argumentsOf('job_chart').at(-1)?.range?.from).toBeCloseTo(69);
    view.zoom(1000);
    expect(view.range).toBeNull();
  });

  it('tells how dense the screen is', async () => {
    vi.spyOn(window, 'devicePixelRatio', 'get').mockReturnValue(1.5);
    await view.draw(600, 300);
    expect(host.argumentsOf('job_chart').at(-1)?.density).toBe(1.5);
    vi.restoreAllMocks();
  });

  it('keeps the place under the pointer where it is', async () => {
    const { left, right } = view.chart?.plot ?? { left: 0, right: 0 };
    view.zoom(0.5, left + (right - left) / 4);
    expect(view.range).toEqual({ from: 34.5, to: 172.5 });
    await view.draw(600, 300);
    view.pan(-10);
    expect(view.range).toEqual({ from: 0, to: 138 });
  });

  it('moves its cursor by keys and reads the line there', () => {
    expect(view.reading).toBeNull();
    view.step(-1);
    expect(view.reading?.at).toBe(184);
    view.step(-20);
    expect(view.reading?.at).toBe(164);
    view.step(-1e9);
    expect(view.reading?.at).toBe(0);
    expect(view.reading?.lines).toHaveLength(1);
  });

  it('asks for the newest wish after a picture that is under way, and for none between', async () => {
    const first = later<Chart>();
    const answers = [first.promise];
    host.handlers.job_chart = (request) => answers.shift() ?? lossChart(request);
    const before = host.argumentsOf('job_chart').length;
    const drawing = view.draw(600, 300);
    for (const smoothing of [0.1, 0.2, 0.3]) {
      view.smoothing = smoothing;
      void view.draw(600, 300);
    }
    first.resolve(lossChart(view.request()));
    await drawing;
    const asked = host.argumentsOf('job_chart').slice(before);
    expect(asked).toHaveLength(2);
    expect(asked[1]?.smoothing).toBe(0.3);
  });
});

describe('the nearest point', () => {
  it('is found at both ends and between', () => {
    const points = [10, 20, 40].map((x) => ({ at: x, value: 0, low: 0, high: 0, x, y: 0 }));
    expect(nearest(points, -5)?.x).toBe(10);
    expect(nearest(points, 14)?.x).toBe(10);
    expect(nearest(points, 31)?.x).toBe(40);
    expect(nearest(points, 99)?.x).toBe(40);
    expect(nearest([], 1)).toBeNull();
  });
});
