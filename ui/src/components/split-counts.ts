/** How many records each part of a split gets, before it is made. */
export interface SplitParts {
  training: number;
  validation: number;
  holdOut: number;
}

/** Whole percents of the records, rounded; training takes the rest. */
export function splitParts(records: number, validationPercent: number, holdOutPercent: number): SplitParts {
  const validation = Math.round((records * validationPercent) / 100);
  const holdOut = Math.min(records - validation, Math.round((records * holdOutPercent) / 100));
  return { training: records - validation - holdOut, validation, holdOut };
}

/** A whole number within bounds, or null. */
export function wholeNumber(text: string, min: number, max: number): number | null {
  if (!/^\s*\d+\s*$/.test(text)) return null;
  const value = Number(text);
  return value >= min && value <= max ? value : null;
}
