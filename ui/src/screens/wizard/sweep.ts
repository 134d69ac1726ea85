/** Several values of one hyperparameter, as they are typed: "1e-4, 5e-4, 1e-3". */
import type { BaseModel, Hyperparameter, SweepChoice } from '../../contract';
import { checkHyperparameter } from './hyperparameter-check';

export const MOST_RUNS = 8;

export function sweepValues(text: string): string[] {
  const values = text
    .split(/[,;\s]+/)
    .map((one) => one.trim())
    .filter((one) => one !== '');
  return [...new Set(values)];
}

/** What is wrong with a sweep; null when it can be started. */
export function checkSweep(
  model: BaseModel,
  parameters: readonly Hyperparameter[],
  sweep: SweepChoice,
): string | null {
  const parameter = parameters.find((one) => one.key === sweep.key);
  if (!parameter) return 'Choose what is to be varied.';
  const values = sweepValues(sweep.values);
  for (const value of values) {
    const wrong = checkHyperparameter(parameter, model.name, value);
    if (wrong) return `${value}: ${wrong.message}`;
  }
  if (values.length < 2) return 'Give two values or more, with commas between them.';
  if (values.length > MOST_RUNS)
    return `At most ${MOST_RUNS} values, so that they can be looked at together.`;
  return null;
}
