/** A picture with the shape of a loss chart, for looking at the job screen without a workbench. */
import type { Chart, ChartPoint, ChartRequest } from '../src/contract';

export const noChart: Chart = {
  svg: null,
  plot: { left: 44, top: 12, right: 600, bottom: 200 },
  shown: null,
  lines: [],
  trainingPoints: 0,
  validationPoints: 0,
};

export function lossChart({ jobs, width, height, palette, smoothing, logScale, range }: ChartRequest): Chart {
  const left = 44;
  const bottom = height - 28;
  const steps = 184;
  let seed = 7;
  const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const y = (loss: number) => {
    const share = logScale ? Math.log(loss / 0.2) / Math.log(5 / 0.2) : loss / 5;
    return bottom - (bottom - 12) * share;
  };
  const x = (step: number) => left + ((width - left - 12) * step) / 276;
  const raw: string[] = [];
  const smooth: string[] = [];
  let mean = 4;
  for (let step = 0; step <= steps; step += 1) {
    const value = 0.45 + 3.4 * Math.exp(-step / 38) + (random() - 0.5) * 0.4;
    mean = mean * smoothing + value * (1 - smoothing);
    raw.push(`${x(step).toFixed(1)},${y(Math.max(value, 0.21)).toFixed(1)}`);
    smooth.push(`${x(step).toFixed(1)},${y(mean).toFixed(1)}`);
  }
  const grid = [0, 1, 2, 3, 4, 5]
    .map((tick) => {
      const at = tick === 0 ? bottom : y(Math.max(tick, 0.2));
      return `<line x1="${left}" x2="${width - 12}" y1="${at}" y2="${at}" stroke="${palette.grid}"/><text x="${left - 8}" y="${at + 4}" text-anchor="end" font-size="11" fill="${palette.faintInk}">${tick}.0</text>`;
    })
    .join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${grid}<polyline points="${raw.join(' ')}" fill="none" stroke="${palette.training}" opacity="0.3"/><polyline points="${smooth.join(' ')}" fill="none" stroke="${palette.training}" stroke-width="2"/></svg>`;
  const points: ChartPoint[] = smooth.map((place, at) => {
    const [px = 0, py = 0] = place.split(',').map(Number);
    const value = 0.45 + 3.4 * Math.exp(-at / 38);
    return { at, value, low: value - 0.2, high: value + 0.2, x: px, y: py };
  });
  return {
    svg,
    plot: { left, top: 12, right: width - 12, bottom },
    shown: range ?? { from: 0, to: 276 },
    lines: jobs.map((job) => ({ job, validation: false, points })),
    trainingPoints: steps,
    validationPoints: 7,
  };
}
