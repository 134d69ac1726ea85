/** A stand-in for the pictures that the app draws, so that their place on the screen can be looked at. */
import type { StatisticsChartRequest } from '../src/contract';

export function barChart(request: StatisticsChartRequest, values: readonly number[]): string {
  const { width, height, palette } = request;
  const most = Math.max(...values, 1);
  const base = height - 22;
  const step = (width - 44) / values.length;
  const lines = [0.25, 0.5, 0.75, 1].map((share) => {
    const y = base - share * (base - 8);
    return `<line x1="40" x2="${width}" y1="${y}" y2="${y}" stroke="${palette.grid}"/><text x="34" y="${y + 4}" text-anchor="end" font-size="11" fill="${palette.faintInk}">${Math.round(share * most)}</text>`;
  });
  const bars = values.map((value, index) => {
    const tall = (value / most) * (base - 8);
    return `<rect x="${42 + index * step}" y="${base - tall}" width="${Math.max(1, step - 2)}" height="${tall}" fill="${palette.training}"/>`;
  });
  const labels = values
    .map((_, index) => index)
    .filter((index) => index % 4 === 0)
    .map(
      (index) =>
        `<text x="${42 + index * step}" y="${height - 6}" font-size="11" fill="${palette.faintInk}">${index * 8}</text>`,
    );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${lines.join('')}${bars.join('')}${labels.join('')}</svg>`;
}
