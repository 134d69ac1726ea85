/** Reads colours from the tokens for what is drawn outside of CSS. */
import type { ChartPalette } from '../contract';

/** A token's colour as `#rrggbb`. */
export function tokenColour(name: string): string {
  const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return /^#[0-9a-f]{6}$/i.test(value) ? value : '#808080';
}

/** What a chart is drawn in, in the theme that holds. */
export function chartPalette(): ChartPalette {
  return {
    ink: tokenColour('--ink'),
    faintInk: tokenColour('--chart-ink'),
    grid: tokenColour('--chart-grid'),
    training: tokenColour('--chart-training'),
    validation: tokenColour('--chart-validation'),
  };
}

/** How many runs a chart can tell apart. */
export const MOST_RUNS = 8;

/** The colours of runs over each other, in their order. */
export function runColours(): string[] {
  return Array.from({ length: MOST_RUNS }, (_, at) => tokenColour(`--chart-run-${at + 1}`));
}
