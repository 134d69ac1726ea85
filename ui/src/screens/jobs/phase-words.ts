/** What is said about a phase of a job, and how far it is. */
import type { JobDetail, Phase, PhaseName } from '../../contract';
import { count, duration, plural, timeLeft } from '../../format';

export const phaseNames: Record<PhaseName, string> = {
  validation: 'Validation',
  dataProcessing: 'Data processing',
  training: 'Training',
};

/** Between 0 and 1, or null while a phase runs that cannot tell. */
export function phaseFraction(phase: Phase, detail: JobDetail): number | null {
  if (phase.status === 'notStarted') return 0;
  if (phase.status === 'completed') return 1;
  const { progress } = detail;
  const known =
    phase.name === 'training' && progress?.totalSteps ? (progress.step + 1) / progress.totalSteps : null;
  if (phase.status === 'inProgress' || phase.status === 'stopping') return known;
  return known ?? 1;
}

export function phaseWords(phase: Phase, detail: JobDetail, now: number): string {
  const took =
    phase.startedAt === null ? '' : span(phase.startedAt, isOpen(phase) ? now : (phase.changedAt ?? now));
  switch (phase.status) {
    case 'notStarted':
      // Bedrock has no queued state: a job that waits is in progress with nothing begun.
      return phase.name === 'validation' && detail.summary.status === 'inProgress'
        ? 'waiting for its turn'
        : 'not started';
    case 'completed':
      return [`done in ${took}`, extra(phase, detail)].filter(Boolean).join(' · ');
    case 'inProgress':
      return phase.name === 'training' && detail.progress ? trainingWords(detail) : `for ${took}`;
    case 'stopping':
      return 'stopping';
    case 'stopped':
      return `stopped after ${took}`;
    case 'failed':
      return `failed after ${took}`;
  }
}

/** A phase of a few records is over before a second is. */
function span(from: number, to: number): string {
  return to - from < 1000 ? 'under a second' : duration(to - from);
}

function isOpen(phase: Phase): boolean {
  return phase.status === 'inProgress' || phase.status === 'stopping';
}

function extra(phase: Phase, detail: JobDetail): string {
  if (phase.name === 'validation') return plural(detail.trainingRecords + detail.validationRecords, 'record');
  if (phase.name === 'training' && detail.progress) return plural(detail.progress.step + 1, 'step');
  return '';
}

/** "epoch 2 of 4 · step 1,184 of 2,004 · about 3 min left". Steps and epochs count from 0 in the metrics, from 1 for people. */
export function trainingWords({ progress, hyperparameters }: JobDetail): string {
  if (!progress) return '';
  const epochs = Number(hyperparameters['epochCount']);
  const epoch = ordinal('epoch', progress.epoch, Number.isInteger(epochs) && epochs > 0 ? epochs : null);
  const step = ordinal('step', progress.step, progress.totalSteps);
  const left = progress.secondsLeft === null ? '' : `${timeLeft(progress.secondsLeft)} left`;
  return [epoch, step, left].filter(Boolean).join(' · ');
}

function ordinal(what: string, fromZero: number, total: number | null): string {
  if (total === null) return `${what} ${count(fromZero + 1)}`;
  return `${what} ${count(Math.min(fromZero + 1, total))} of ${count(total)}`;
}
