/** Whole sets of answers: a first run, a busy day, and things going wrong. */
import type { AppError, Connection, DatasetSummary, ImportOutcome, Theme } from '../src/contract';
import { datasetAnswers } from './dataset-answers';
import { completion, dataset, prompt } from './dataset-fixtures';
import { evaluationAnswers } from './evaluation-fixtures';
import * as fixture from './fixtures';
import { lossChart, noChart } from './loss-chart';
import { comparison, moreJobs, remains, stateOf } from './job-fixtures';
import { TestHost, type Handlers } from './test-host';
import { wizardAnswers } from './wizard-answers';

const unreachable: AppError = {
  code: 'unreachable',
  message: 'The endpoint at 127.0.0.1:41873 does not answer.',
  detail: 'connection refused (os error 111)',
  hint: 'Reconnect under Settings, or restart the app.',
};

const broken: ImportOutcome = {
  dataset: null,
  problemCount: 3,
  readableRecords: 9996,
  problems: [
    {
      line: 412,
      column: 18,
      message: 'A string is not closed.',
      hint: 'Add the missing quote before the end of the line.',
      excerpt: '{"prompt": "Where is my card?, "completion": "card_arrival"}',
    },
    {
      line: 5210,
      column: null,
      message: 'The field “completion” is missing.',
      hint: 'Every line needs a prompt and a completion.',
      excerpt: '{"prompt": "When did you send it?"}',
    },
    {
      line: 9999,
      column: 61,
      message: 'Expected a comma or a closing brace.',
      hint: 'The line may have been cut; look at its end.',
      excerpt: '{"prompt": "What is the rate?", "completion": "exchange_rate" "x',
    },
  ],
};

/** A list of connections that can be chosen from, changed and tried again. */
function connectionAnswers(list: Connection[]): Handlers {
  let all = list;
  const find = (id: string) => all.find((one) => one.id === id) ?? fixture.connection;
  const change = (id: string, over: Partial<Connection>) => {
    all = all.map((one) => (one.id === id ? { ...one, ...over } : one));
    return find(id);
  };
  return {
    connection: () => all.find((one) => one.current) ?? fixture.connection,
    connections: () => all,
    profiles: () => fixture.profiles,
    regions: () => fixture.regions,
    choose_connection: ({ connection }) => {
      all = all.map((one) => ({ ...one, current: one.id === connection }));
      return find(connection);
    },
    sign_in: ({ connection }) => change(connection, { state: 'ready', error: null }),
    cancel_sign_in: () => ({}),
    reconnect: ({ connection }) => find(connection),
    enter_code: ({ connection }) => find(connection),
    renew_keys: ({ connection }) => find(connection),
    accept_account: ({ connection }) => find(connection),
    change_connection: ({ connection, bucket, prefix, roleArn }) =>
      change(connection, { bucket, prefix: prefix ?? '', roleArn }),
    add_connection: () => find('c-tuning'),
    place_choices: () => ({
      buckets: ['ada-fine-tuning', 'team-data'],
      roles: [
        { name: 'AmazonBedrock-Whetstone', arn: 'arn:aws:iam::111122223333:role/AmazonBedrock-Whetstone' },
      ],
      bucketTrouble: null,
      rolesTrouble: null,
    }),
    draft_role: (wish) => fixture.roleDraft(wish),
    create_role: ({ connection }) => ({ connection: find(connection), done: ['The role was created.'] }),
    create_bucket: ({ connection }) => ({ connection: find(connection), done: ['The bucket is there.'] }),
    doctor: () => fixture.doctorReport,
    remove_connection: ({ connection }) => {
      all = all.filter((one) => one.id !== connection);
      return {};
    },
  };
}

function madeUp(): DatasetSummary[] {
  const plain = { split: null, undo: null, editedAt: null, unsaved: false };
  return [
    dataset(),
    dataset({
      ...plain,
      id: 'd-support',
      name: 'Customer support',
      source: 'bundled sample',
      origin: 'sample',
      records: 324,
      bytes: 88_200,
      createdAt: fixture.NOW - 3 * 86_400_000,
    }),
    dataset({
      ...plain,
      id: 'd-million',
      name: 'every-ticket-since-2019.jsonl',
      source: 'every-ticket-since-2019.jsonl',
      origin: 'inPlace',
      schema: 'Converse conversations',
      records: 1_004_312,
      bytes: 412_400_000,
      createdAt: fixture.NOW - 5_400_000,
      editedAt: fixture.NOW - 2000,
      undo: 'Edit record 88,210',
      unsaved: true,
      file: { path: '/home/ada/every-ticket-since-2019.jsonl', state: 'asItWas', message: null, choices: [] },
    }),
    dataset({
      ...plain,
      id: 'd-changed',
      name: 'shared-tickets.jsonl',
      source: 'shared-tickets.jsonl',
      origin: 'inPlace',
      records: 48_120,
      unsaved: true,
      undo: 'Delete 3 records',
      createdAt: fixture.NOW - 9_400_000,
      file: {
        path: '/mnt/team/shared-tickets.jsonl',
        state: 'changed',
        message: 'Another program changed shared-tickets.jsonl four minutes ago.',
        choices: ['reload', 'keep', 'saveAs'],
      },
    }),
    dataset({
      ...plain,
      id: 'd-indexing',
      name: 'firehose.jsonl',
      source: 'firehose.jsonl',
      origin: 'inPlace',
      schema: 'Converse conversations',
      records: 2_310_400,
      bytes: 5_021_000_000,
      index: { complete: false, fraction: 0.41, activity: 'a-1' },
      createdAt: fixture.NOW - 20_000,
    }),
  ];
}

function busy(theme: Theme): Handlers {
  const datasets = madeUp();
  const jobs = [
    fixture.job(),
    fixture.job({
      id: 'j-2',
      name: 'support-answers-03',
      status: 'completed',
      baseModel: fixture.nova.id,
      baseModelName: 'Nova Lite',
      standIn: true,
      datasetName: 'Customer support',
      createdAt: fixture.NOW - 86_400_000,
      endedAt: fixture.NOW - 86_100_000,
      trainingLoss: 1.108,
      validationLoss: 1.139,
    }),
    fixture.job({
      id: 'j-3',
      name: 'clauses-first-try',
      status: 'failed',
      datasetName: 'Legal clauses',
      createdAt: fixture.NOW - 2 * 86_400_000,
      endedAt: fixture.NOW - 2 * 86_400_000 + 4000,
      trainingLoss: null,
      validationLoss: null,
    }),
    fixture.job({
      id: 'j-4',
      name: 'support-answers-02',
      status: 'stopped',
      datasetName: 'Customer support',
      createdAt: fixture.NOW - 4 * 86_400_000,
      endedAt: fixture.NOW - 4 * 86_400_000 + 90_000,
      trainingLoss: 2.402,
      validationLoss: null,
    }),
    ...moreJobs,
  ];
  const detail = (id: string) => {
    const summary = jobs.find((job) => job.id === id) ?? fixture.job();
    const state = stateOf(summary);
    if (state) return state;
    const done = fixture.jobDetail().phases.map((phase) => ({ ...phase, status: 'completed' as const }));
    if (summary.status === 'completed') {
      return fixture.jobDetail({
        summary,
        phases: done,
        outputModelArn: 'arn:aws:bedrock:us-east-1:000000000000:custom-model/x',
        deployment: null,
      });
    }
    if (summary.status === 'failed') {
      return fixture.jobDetail({
        summary,
        phases: [
          {
            name: 'validation',
            status: 'failed',
            startedAt: summary.createdAt,
            changedAt: summary.createdAt + 4000,
          },
          { name: 'dataProcessing', status: 'notStarted', startedAt: null, changedAt: null },
          { name: 'training', status: 'notStarted', startedAt: null, changedAt: null },
        ],
        failure: 'Line 12 of the training data: The completion is empty. There are 2 more errors.',
        explanation: {
          cause: 'The job failed while its data was read; nothing was trained, and so nothing billed.',
          fix: 'Look at the dataset’s findings for this base model, mend them and start again.',
          source: 'the fine-tuning guide this app follows, troubleshooting',
          record: { dataset: 'd-banking', position: 13, line: 12, split: 'training', moved: false },
        },
        best: null,
        progress: null,
      });
    }
    return fixture.jobDetail({ summary });
  };
  let chosen: Theme = theme;
  const handlers: Handlers = {
    start: () => ({
      version: '0.1.0',
      settings: { ...fixture.settings, theme: chosen },
      connection: fixture.connection,
      openedFile: null,
    }),
    patch_settings: (patch) => {
      chosen = patch.theme ?? chosen;
      return {
        theme: chosen,
        monthlyBudgetUsd: patch.monthlyBudgetUsd ?? fixture.settings.monthlyBudgetUsd,
        transferLimit: patch.transferLimit ?? fixture.settings.transferLimit,
      };
    },
    ...connectionAnswers(fixture.connections),
    activities: () => [
      {
        id: 'a-1',
        title: 'Upload of banking77 for support-answers-04',
        phase: 'training.jsonl, 1.2 of 1.9 MB',
        fraction: 0.63,
        secondsLeft: 24,
        state: 'running',
        error: null,
        cancellable: true,
      },
      {
        id: 'a-2',
        title: 'Import of train.csv',
        phase: '10,003 records',
        fraction: 1,
        secondsLeft: null,
        state: 'done',
        error: null,
        cancellable: false,
      },
    ],
    cancel_activity: () => ({}),
    samples: () => fixture.samples,
    import_sample: () => datasets[1] ?? dataset(),
    ...datasetAnswers(datasets),
    import_dataset: () => broken,
    base_models: () => fixture.baseModels,
    data_models: () => fixture.dataModels,
    plan_job: (draft) => fixture.plan(draft),
    estimate: ({ baseModel, epochs }) =>
      fixture.cost({
        baseModel,
        hyperparameters: epochs === null ? {} : { epochCount: String(epochs) },
      }),
    estimate_tokens: ({ baseModel, tokens }) => fixture.cost({ baseModel, hyperparameters: {} }, tokens),
    running_costs: () => fixture.runningCosts(),
    set_end_time: ({ arn, endsAt }) => fixture.runningCosts(arn, endsAt),
    save_reminder: () => true,
    buckets: () => fixture.buckets,
    list_place: ({ prefix }) => fixture.listing(prefix),
    preview_object: ({ key }) => fixture.preview(key),
    download_object: () => ({ activity: 'a-1' }),
    download_folder: () => ({ activity: 'a-1' }),
    fetch_object: ({ key }) => ({
      token: 't-s3',
      name: key.split('/').at(-1) ?? key,
      bytes: 188_312,
      attachesAs: null,
    }),
    abandoned_uploads: () => fixture.abandoned,
    remove_abandoned_upload: () => ({}),
    ...wizardAnswers(),
    ...evaluationAnswers(),
    start_job: () => fixture.job(),
    rehearse: () => fixture.job(),
    plan_carried: () => fixture.plan(fixture.draft()),
    carry_over: () => fixture.job(),
    jobs: () => jobs,
    job: ({ job }) => detail(job),
    job_chart: (request) =>
      request.jobs.some((job) => ['j-3', 'j-5', 'j-6', 'j-9'].includes(job)) ? noChart : lossChart(request),
    save_chart: () => ({ name: 'banking77-tiny-01-loss.svg' }),
    save_notes: ({ job, notes }) => ({ ...detail(job), notes }),
    job_remains: () => remains,
    compare_jobs: ({ jobs: ids }) => comparison(ids.map((id) => detail(id).summary)),
    find_jobs: () => 0,
    stop_job: () => fixture.jobDetail({ summary: fixture.job({ status: 'stopping' }) }),
    deploy: ({ job }) => ({
      ...detail(job),
      deployment: { arn: 'arn:aws:bedrock:d', name: 'banking77-intents', status: 'creating', failure: null },
    }),
    playable_models: () => fixture.playable,
    hold_out_prompt: ({ index }) => {
      const position = 7 + index * 10;
      return { position, prompt: prompt(position), completion: completion(position) };
    },
    cancel_prompt: () => ({}),
    prompt_frame: () => ({ system: null, before: '', after: '', records: 200 }),
    prompt_code: ({ modelId }) => ({
      cli: `aws bedrock-runtime converse --model-id ${modelId}`,
      python: 'import boto3',
      javascript: 'import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";',
      rust: 'use aws_sdk_bedrockruntime::types;',
      needs: 'Keys come from the environment.',
    }),
    conversations: () => [],
    save_conversation: () => ({}),
    own_models: () => fixture.ownModels,
    serving_plan: () => fixture.servingPlan,
    serve_model: ({ model }) => ({ arn: model }),
    turn_served: () => ({}),
    stop_serving: () => ({}),
    removal: ({ arn }) => ({
      steps: [
        {
          arn,
          name: 'support-answers-03',
          what: 'Custom model',
          consequence: 'Its weights are gone for good.',
        },
      ],
      refused: null,
    }),
    remove_model: () => ({ activity: 'a-1' }),
    copy_model: () => ({ activity: 'a-1' }),
    export_model: () => null,
    import_model: () => null,
  };
  return handlers;
}

function firstRun(theme: Theme): Handlers {
  return {
    ...busy(theme),
    activities: () => [],
    datasets: () => [],
    jobs: () => [],
    evaluations: () => [],
    playable_models: () => fixture.playable.slice(0, 1),
    own_models: () => [],
  };
}

function failing(theme: Theme): Handlers {
  const refuse = () => Promise.reject(unreachable);
  return {
    ...busy(theme),
    start: () => ({
      version: '0.1.0',
      settings: { ...fixture.settings, theme },
      connection: { ...fixture.connection, state: 'failed', endpoint: null, error: unreachable },
      openedFile: null,
    }),
    activities: () => [],
    jobs: refuse,
    evaluations: refuse,
    evaluation: refuse,
    job: refuse,
    datasets: refuse,
    dataset: refuse,
    rows: refuse,
    samples: refuse,
    base_models: refuse,
    data_models: refuse,
    playable_models: refuse,
    own_models: refuse,
    running_costs: refuse,
    buckets: refuse,
    abandoned_uploads: refuse,
  };
}

export function sceneHost(scene: string, theme: string | null): TestHost {
  const chosen: Theme = theme === 'dark' || theme === 'light' ? theme : 'system';
  const handlers =
    scene === 'first' ? firstRun(chosen) : scene === 'failing' ? failing(chosen) : busy(chosen);
  const host = new TestHost(handlers);
  host.handlers.send_prompt = async (request) => {
    const tuned = request.modelId.includes('deployment');
    const words = (
      tuned ? 'top_up_reverted' : 'The house was a little better than the other, and the door of it was shut'
    ).split(/(?<= )/);
    for (const text of words) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      host.emit({ event: 'replyText', request: request.request, text });
    }
    return {
      text: words.join(''),
      stopReason: tuned ? 'end_turn' : 'max_tokens',
      inputTokens: 19,
      outputTokens: words.length * 2,
      firstTokenMs: 41,
      totalMs: 41 + words.length * 12,
      cost: { usd: 0, note: 'Answers on this computer are not billed.' },
      rawRequest: '{}',
      rawResponse: '{}',
    };
  };
  return host;
}
