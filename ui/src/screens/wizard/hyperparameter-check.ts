/** Checks a hyperparameter while it is typed, from the bounds that the contract gives. The workbench checks again. */
import type { Hyperparameter, HyperparameterKind } from '../../contract';

export interface Problem {
  message: string;
  /** A value that would be accepted. */
  suggestion: string | null;
}

const WHOLE = /^[+-]?\d+$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Small and large figures as people who tune models write them: 1e-5, 0.001, 200000. */
export function figureText(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size < 0.001 ? value.toExponential().replace('e+', 'e') : String(value);
}

/** The bounds in words: "1 to 50", "full or lora". */
export function rangeText(kind: HyperparameterKind): string {
  if (kind.kind === 'choice') return kind.options.join(' or ');
  return `${figureText(kind.min)} to ${figureText(kind.max)}`;
}

export function checkHyperparameter(
  parameter: Hyperparameter,
  modelName: string,
  text: string,
): Problem | null {
  const { kind, label } = parameter;
  const value = text.trim();
  if (kind.kind === 'choice') {
    if (kind.options.includes(value)) return null;
    return { message: `${label} is ${rangeText(kind)}.`, suggestion: parameter.default };
  }
  const pattern = kind.kind === 'integer' ? WHOLE : NUMBER;
  const noun = kind.kind === 'integer' ? 'a whole number' : 'a number';
  if (!pattern.test(value)) {
    const near = Number(value);
    const usable = value !== '' && Number.isFinite(near);
    const suggestion = usable ? figureText(clamp(Math.round(near), kind.min, kind.max)) : parameter.default;
    return { message: `${label} is ${noun}, ${rangeText(kind)}.`, suggestion };
  }
  const number = Number(value);
  if (number > kind.max) {
    return {
      message: `${modelName} takes at most ${figureText(kind.max)}.`,
      suggestion: figureText(kind.max),
    };
  }
  if (number < kind.min) {
    return {
      message: `${modelName} takes at least ${figureText(kind.min)}.`,
      suggestion: figureText(kind.min),
    };
  }
  return null;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
