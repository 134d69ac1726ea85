/** Jobs in every state there is, for looking at. */
import type { JobComparison, JobDetail, JobRemains, JobSummary } from '../src/contract';
import * as fixture from './fixtures';

const notStarted = fixture.jobDetail().phases.map((phase) => ({
  ...phase,
  status: 'notStarted' as const,
  startedAt: null,
  changedAt: null,
}));

export const moreJobs: JobSummary[] = [
  fixture.job({
    id: 'j-5',
    name: 'uploading-now',
    status: 'uploading',
    arn: null,
    trainingLoss: null,
    validationLoss: null,
  }),
  fixture.job({ id: 'j-6', name: 'waits-for-its-turn', trainingLoss: null, validationLoss: null }),
  fixture.job({
    id: 'j-7',
    name: 'too-many-epochs',
    status: 'completed',
    endedAt: fixture.NOW - 60_000,
    trainingLoss: 0.061,
    validationLoss: 4.304,
  }),
  fixture.job({
    id: 'j-8',
    name: 'stopped-early',
    status: 'completed',
    endedAt: fixture.NOW - 90_000,
    trainingLoss: 1.304,
    validationLoss: 3.084,
  }),
  fixture.job({
    id: 'j-9',
    name: 'from-the-console',
    elsewhere: true,
    datasetName: 'team/tickets.jsonl',
    trainingLoss: null,
    validationLoss: null,
  }),
];

/** What is peculiar to one of them; null for the others. */
export function stateOf(summary: JobSummary): JobDetail | null {
  const done = fixture.jobDetail().phases.map((phase) => ({ ...phase, status: 'completed' as const }));
  switch (summary.id) {
    case 'j-5':
    case 'j-6':
    case 'j-9':
      return fixture.jobDetail({
        summary,
        phases: notStarted,
        progress: null,
        best: null,
        usual: 'Your earlier job on this model reached its training after 4 s.',
        dataset: summary.elsewhere ? '' : 'd-banking',
      });
    case 'j-7':
      return fixture.jobDetail({
        summary,
        phases: done,
        usual: null,
        advice: [
          {
            kind: 'overfitting',
            finding:
              'The validation loss turned at step 23: it was 3.664 and is 4.304, while the training loss fell on.',
            change: 'Train for 3 epochs, or add records that differ.',
            route: '#/fine-tune/settings?clone=j-7&set.epochCount=3',
          },
        ],
      });
    case 'j-8':
      return fixture.jobDetail({
        summary,
        phases: done,
        usual: null,
        stoppedEarly:
          'Training ended early, after step 75 of 250. The validation loss was best at step 74: 3.059.',
      });
    default:
      return null;
  }
}

export const remains: JobRemains = {
  artifacts: [
    {
      uri: 's3://whetstone/output/model-customization-job-abcdefghijkl/training_artifacts/step_wise_training_metrics.csv',
      name: 'training_artifacts/step_wise_training_metrics.csv',
      bytes: 48_210,
      modified: fixture.NOW - 4000,
    },
    {
      uri: 's3://whetstone/output/model-customization-job-abcdefghijkl/validation_artifacts/post_fine_tuning_validation/validation_metrics.csv',
      name: 'validation_artifacts/post_fine_tuning_validation/validation_metrics.csv',
      bytes: 212,
      modified: fixture.NOW - 4000,
    },
  ],
  tags: [{ key: 'team', value: 'support' }],
};

export function comparison(jobs: JobSummary[]): JobComparison {
  const row = (name: string, cell: (job: JobSummary, at: number) => string, differs: boolean) => ({
    name,
    cells: jobs.map(cell),
    differs,
  });
  const loss = (value: number | null) => (value === null ? '–' : value.toFixed(3));
  return {
    jobs,
    results: [
      row('Final training loss', (job) => loss(job.trainingLoss), true),
      row('Final validation loss', (job) => loss(job.validationLoss), true),
    ],
    settings: [
      row('Base model', (job) => job.baseModelName, false),
      row('learningRate', (_, at) => ['0.001', '0.002', '0.004'][at] ?? '0.001', true),
    ],
    data: [
      row('Dataset', (job) => job.datasetName, true),
      row(
        'Records for training',
        (_, at) => (at === 0 ? 'the one compared with' : '12 added, 1 changed'),
        true,
      ),
    ],
  };
}
