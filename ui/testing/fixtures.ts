/** Plausible answers for tests and for looking at screens. Nothing here reaches a person who uses the app. */
import type {
  BaseModel,
  Connection,
  Hyperparameter,
  JobDetail,
  JobDraft,
  JobPlan,
  JobSummary,
  PlayableModel,
  Sample,
} from '../src/contract';

export const NOW = Date.now();
const MINUTE = 60_000;

export const connection: Connection = {
  name: 'This computer',
  region: 'us-east-1',
  endpoint: 'http://127.0.0.1:41873',
  dataFolder: '/home/ada/.local/share/whetstone/sandbox',
  state: 'ready',
  error: null,
};

export const samples: Sample[] = [
  {
    id: 'customer-support',
    name: 'Customer support',
    summary:
      'Questions to a bicycle shop and the answers its people would give: orders, returns, repairs, accounts.',
    records: 324,
  },
  {
    id: 'legal-clauses',
    name: 'Legal clauses',
    summary:
      'Clauses of contracts; each completion is JSON with parties, effective date, term length and notice.',
    records: 216,
  },
];

const hyperparameter = (
  over: Partial<Hyperparameter> & Pick<Hyperparameter, 'key' | 'label' | 'kind'>,
): Hyperparameter => ({
  default: '1',
  why: '',
  advanced: false,
  unverified: false,
  ...over,
});

export const tiny: BaseModel = {
  id: 'whetstone.tiny-v1',
  name: 'Tiny v1',
  provider: 'Whetstone',
  family: 'Tiny',
  summary: 'A 2.6 million parameter model that ships with this app and is trained for real on this computer.',
  standIn: false,
  lifecycle: 'active',
  lifecycleNote: null,
  tuningRegions: [],
  dataFormat: 'prompt and completion',
  minRecords: 8,
  maxRecords: 200_000,
  validationAccepted: true,
  hyperparameters: [
    hyperparameter({
      key: 'epochCount',
      label: 'Epochs',
      kind: { kind: 'integer', min: 1, max: 50 },
      default: '4',
      why: 'How often each record is seen. More learns the data better, then only by heart.',
    }),
    hyperparameter({
      key: 'batchSize',
      label: 'Batch size',
      kind: { kind: 'integer', min: 1, max: 128 },
      default: '16',
      why: 'Records looked at before each step. Larger is steadier and needs more memory.',
    }),
    hyperparameter({
      key: 'learningRate',
      label: 'Learning rate',
      kind: { kind: 'float', min: 1e-6, max: 0.02 },
      default: '0.001',
      why: 'How far each step goes. Too high forgets what the model knew, too low learns nothing.',
    }),
    hyperparameter({
      key: 'learningRateWarmupSteps',
      label: 'Warm-up steps',
      kind: { kind: 'integer', min: 0, max: 1000 },
      default: '60',
      why: 'Steps over which the rate rises from nothing, so that the first ones do no harm.',
    }),
    hyperparameter({
      key: 'approach',
      label: 'Approach',
      kind: { kind: 'choice', options: ['full', 'lora'] },
      default: 'full',
      why: 'Full trains every weight; LoRA trains a small addition and forgets less.',
    }),
    hyperparameter({
      key: 'loraRank',
      label: 'LoRA rank',
      kind: { kind: 'integer', min: 1, max: 64 },
      default: '16',
      advanced: true,
      why: 'Size of the addition that LoRA trains.',
    }),
    hyperparameter({
      key: 'seed',
      label: 'Seed',
      kind: { kind: 'integer', min: 0, max: 4_294_967_295 },
      default: '1',
      advanced: true,
      why: 'The same seed shuffles the records in the same order.',
    }),
  ],
  prices: [],
  unverified: [],
  sources: ['docs/tiny-v1.md'],
};

export const nova: BaseModel = {
  ...tiny,
  id: 'amazon.nova-lite-v1:0:300k',
  name: 'Nova Lite',
  provider: 'Amazon',
  family: 'Nova',
  summary: 'A quick multimodal model for everyday work, tuned with text here.',
  standIn: true,
  tuningRegions: ['us-east-1'],
  dataFormat: 'conversation',
  maxRecords: 10_000,
  hyperparameters: tiny.hyperparameters
    .slice(0, 4)
    .map((one) =>
      one.key === 'batchSize'
        ? { ...one, kind: { kind: 'integer', min: 1, max: 64 }, unverified: true }
        : one,
    ),
  prices: [
    {
      what: 'Storage of a custom model',
      usd: 1.95,
      unit: 'model and month',
      source: 'aws.amazon.com/bedrock/pricing',
      date: '2026-08-14',
    },
  ],
  unverified: ['Whether a validation file is accepted is said differently in two places.'],
  sources: ['docs.aws.amazon.com/nova/latest/userguide/fine-tune-prepare-data-understanding.html'],
};

export const titan: BaseModel = {
  ...tiny,
  id: 'amazon.titan-text-lite-v1:0:4k',
  name: 'Titan Text G1 Lite',
  provider: 'Amazon',
  family: 'Titan',
  summary: 'A small text model.',
  standIn: true,
  lifecycle: 'endOfLife',
  lifecycleNote: 'end of life since 2025-08-15',
  tuningRegions: ['us-east-1', 'us-west-2'],
};

export const llama: BaseModel = {
  ...tiny,
  id: 'meta.llama3-1-8b-instruct-v1:0:128k',
  name: 'Llama 3.1 8B Instruct',
  provider: 'Meta',
  family: 'Llama',
  summary: 'An open model of eight billion parameters for instructions.',
  standIn: true,
  tuningRegions: ['us-west-2'],
};

export const baseModels: BaseModel[] = [tiny, nova, titan, llama];

export function job(over: Partial<JobSummary> = {}): JobSummary {
  return {
    id: 'j-1',
    name: 'banking77-tiny-01',
    arn: 'arn:aws:bedrock:us-east-1:000000000000:model-customization-job/whetstone.tiny-v1/abcdefghijkl',
    baseModel: tiny.id,
    baseModelName: tiny.name,
    standIn: false,
    datasetName: 'banking77',
    status: 'inProgress',
    createdAt: NOW - 4 * MINUTE - 7000,
    endedAt: null,
    trainingLoss: 0.412,
    validationLoss: 0.538,
    ...over,
  };
}

export function jobDetail(over: Partial<JobDetail> = {}): JobDetail {
  return {
    summary: job(),
    dataset: 'd-banking',
    phases: [
      { name: 'validation', status: 'completed', startedAt: NOW - 245_000, changedAt: NOW - 243_000 },
      { name: 'dataProcessing', status: 'completed', startedAt: NOW - 243_000, changedAt: NOW - 238_000 },
      { name: 'training', status: 'inProgress', startedAt: NOW - 238_000, changedAt: NOW - 4000 },
    ],
    failure: null,
    failureHint: null,
    hyperparameters: {
      epochCount: '4',
      batchSize: '16',
      learningRate: '0.001',
      learningRateWarmupSteps: '60',
      approach: 'full',
    },
    trainingRecords: 8003,
    validationRecords: 1000,
    holdOutRecords: 1000,
    trainingUri: 's3://whetstone-000000000000-us-east-1/jobs/banking77-tiny-01/train.jsonl',
    outputUri: 's3://whetstone-000000000000-us-east-1/jobs/banking77-tiny-01/output/',
    outputModelArn: null,
    modelName: 'banking77-intents',
    progress: {
      step: 1184,
      epoch: 3,
      totalSteps: 2004,
      trainingLoss: 0.412,
      validationLoss: 0.538,
      perplexity: 1.51,
      secondsLeft: 161,
    },
    deployment: null,
    ...over,
  };
}

export function plan(draft: JobDraft): JobPlan {
  return {
    problems: [],
    errors: 0,
    warnings: 2,
    trainingRecords: 8003,
    validationRecords: 1000,
    holdOutRecords: 1000,
    trainingTokens: 231_480,
    tokensNote: 'Counted with the model’s own tokenizer.',
    bucket: 'whetstone-000000000000-us-east-1',
    trainingUri: `s3://whetstone-000000000000-us-east-1/jobs/${draft.jobName}/train.jsonl`,
    outputUri: `s3://whetstone-000000000000-us-east-1/jobs/${draft.jobName}/output/`,
    roleArn: 'arn:aws:iam::000000000000:role/WhetstoneCustomization',
    price: 'Free: it runs on this computer.',
    priceNote: 'On AWS training is billed by the token; no dated price is known for this model.',
    standIn: draft.baseModel !== 'whetstone.tiny-v1',
  };
}

export const playable: PlayableModel[] = [
  {
    modelId: 'whetstone.tiny-v1',
    name: 'Tiny v1',
    kind: 'base',
    standIn: false,
    job: null,
    baseModel: 'whetstone.tiny-v1',
    dataset: null,
  },
  {
    modelId: 'arn:aws:bedrock:us-east-1:000000000000:custom-model-deployment/abc',
    name: 'banking77-intents',
    kind: 'tuned',
    standIn: false,
    job: 'j-2',
    baseModel: 'whetstone.tiny-v1',
    dataset: 'd-banking',
  },
];
