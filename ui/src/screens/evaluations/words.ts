/** What states and outcomes are called, in one place. */
import type {
  Agreement,
  Candidate,
  EvaluationPart,
  EvaluationState,
  JudgeKind,
  MetricCell,
  Outcome,
  Standing,
} from '../../contract';
import { percent, plural } from '../../format';

type Tone = 'neutral' | 'accent' | 'ok' | 'warn' | 'bad';

export const outcomes: Record<Outcome, { label: string; tone: Tone }> = {
  better: { label: 'Better', tone: 'ok' },
  noClearDifference: { label: 'No clear difference', tone: 'neutral' },
  worse: { label: 'Worse', tone: 'bad' },
};

export const states: Record<EvaluationState, { label: string; tone: Tone }> = {
  running: { label: 'Running', tone: 'accent' },
  stopped: { label: 'Stopped', tone: 'neutral' },
  failed: { label: 'Failed', tone: 'bad' },
  done: { label: 'Done', tone: 'ok' },
};

export const parts: Record<EvaluationPart, string> = {
  holdOut: 'hold-out',
  validation: 'validation',
  training: 'training',
  all: 'all records',
};

export const standings: Record<Standing, { label: string; tone: Tone }> = {
  notEnough: { label: 'Not enough votes yet', tone: 'neutral' },
  notClear: { label: 'No clear preference', tone: 'neutral' },
  preferred: { label: 'Preferred', tone: 'ok' },
  notPreferred: { label: 'The first is preferred', tone: 'bad' },
};

export const judgeKinds: Record<JudgeKind, { label: string; about: string }> = {
  pairwise: { label: 'Which is better', about: 'Two answers at a time, in both orders.' },
  rubric: { label: 'How good it is', about: 'Each answer by itself, 1 to 5.' },
};

export function agreementWords(found: Agreement): string {
  const kappa = found.kappa === null ? '' : `, ${found.measure} ${found.kappa.toFixed(2)}`;
  return `the same on ${percent(found.share)} of ${plural(found.records, 'record')}${kappa}.`;
}

export function candidateName(candidate: Candidate): string {
  const examples = candidate.examples > 0 ? `, ${plural(candidate.examples, 'example')}` : '';
  return `${candidate.name}${examples}${candidate.system === null ? '' : ', own system text'}`;
}

const hundredths = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const small = new Intl.NumberFormat('en', { maximumSignificantDigits: 2 });
const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A share as a percentage without its sign; a measured number as it is. */
export function value(cell: number, unit: string | null): string {
  if (unit === null) return hundredths.format(cell * 100);
  if (cell !== 0 && Math.abs(cell) < 1) return small.format(cell);
  return Math.abs(cell) < 10 ? hundredths.format(cell) : plain.format(cell);
}

export function interval(cell: MetricCell, unit: string | null): string {
  return `${value(cell.low, unit)} to ${value(cell.high, unit)}`;
}

export function signed(difference: number, unit: string | null): string {
  return `${difference < 0 ? '−' : '+'}${value(Math.abs(difference), unit)}`;
}

export function chance(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}
