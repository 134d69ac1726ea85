/** Plausible answers for tests and for looking at screens. Nothing here reaches a person who uses the app. */
import type {
  AbandonedUpload,
  BaseModel,
  Bucket,
  Catalog,
  Connection,
  CostEstimate,
  DataModel,
  DoctorReport,
  FirstBatch,
  Hyperparameter,
  JobDetail,
  JobDraft,
  JobPlan,
  JobSummary,
  ObjectPreview,
  OwnModel,
  PlaceListing,
  PlayableModel,
  Price,
  Profiles,
  RegionChoice,
  RoleDraft,
  RoleWish,
  RunningCosts,
  Sample,
  ServingPlan,
  Settings,
  ShownCall,
} from '../src/contract';

export const NOW = Date.now();
const MINUTE = 60_000;

export const connection: Connection = {
  id: 'this-computer',
  name: 'This computer',
  kind: 'thisComputer',
  current: true,
  region: 'us-east-1',
  endpoint: 'http://127.0.0.1:41873',
  dataFolder: '/home/ada/.local/share/whetstone/sandbox',
  profile: null,
  keeping: null,
  signsIn: false,
  state: 'ready',
  error: null,
  identity: { account: '000000000000', arn: 'arn:aws:iam::000000000000:user/whetstone' },
  expiresAt: null,
  bucket: 'whetstone',
  prefix: '',
  roleArn: 'arn:aws:iam::000000000000:role/WhetstoneSandbox',
};

const elsewhere: Connection = {
  ...connection,
  current: false,
  endpoint: null,
  dataFolder: null,
  bucket: null,
  roleArn: null,
};

export const connections: Connection[] = [
  connection,
  {
    ...elsewhere,
    id: 'c-tuning',
    name: 'tuning',
    kind: 'profile',
    profile: 'tuning',
    identity: {
      account: '111122223333',
      arn: 'arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_MachineLearning_0123456789abcdef/ada',
    },
    expiresAt: NOW + 52 * MINUTE,
    bucket: 'ada-fine-tuning',
    prefix: 'whetstone/',
    roleArn: 'arn:aws:iam::111122223333:role/AmazonBedrock-Whetstone',
  },
  {
    ...elsewhere,
    id: 'c-team',
    name: 'team-sso',
    kind: 'profile',
    profile: 'team-sso',
    signsIn: true,
    region: 'us-west-2',
    state: 'failed',
    identity: null,
    error: {
      code: 'signIn',
      message: 'no credentials: the sign-in of team is over or was never made',
      detail: 'GetCallerIdentity',
      hint: 'Sign in again; the work goes on where it was.',
    },
  },
  {
    ...elsewhere,
    id: 'c-keys',
    name: 'Typed-in keys',
    kind: 'keys',
    keeping: 'thisRun',
    identity: { account: '444455556666', arn: 'arn:aws:iam::444455556666:user/ada' },
  },
];

export const profiles: Profiles = {
  configFile: '/home/ada/.aws/config',
  credentialsFile: '/home/ada/.aws/credentials',
  found: true,
  environment: null,
  environmentRegion: null,
  problems: [
    {
      message: '[staging] is no profile: in this file a profile is written [profile staging].',
      file: '/home/ada/.aws/config',
      line: 31,
    },
  ],
  profiles: [
    {
      name: 'tuning',
      file: '/home/ada/.aws/config',
      line: 1,
      region: 'us-east-1',
      endpoint: null,
      source: 'single sign-on, session team → arn:aws:iam::111122223333:role/tuner',
      signIn: true,
      mfaSerial: null,
      keyTail: null,
      problem: null,
    },
    {
      name: 'old-laptop',
      file: '/home/ada/.aws/credentials',
      line: 4,
      region: null,
      endpoint: null,
      source: 'access key in /home/ada/.aws/credentials',
      signIn: false,
      mfaSerial: null,
      keyTail: null,
      problem: null,
    },
    {
      name: 'build',
      file: '/home/ada/.aws/config',
      line: 18,
      region: 'eu-central-1',
      endpoint: null,
      source: 'gives no credentials',
      signIn: false,
      mfaSerial: null,
      keyTail: null,
      problem: {
        message: 'its source_profile "builder" does not exist',
        file: '/home/ada/.aws/config',
        line: 18,
      },
    },
  ],
};

export const regions: RegionChoice[] = [
  { region: 'us-east-1', tunable: ['Nova Lite', 'Nova Micro', 'Nova Pro'] },
  { region: 'us-west-2', tunable: ['Llama 3.1 8B Instruct'] },
];

export function roleDraft(wish: RoleWish): RoleDraft {
  const name = wish.name ?? 'AmazonBedrock-Whetstone';
  const statement = (over: object) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...over }] }, null, 2);
  return {
    name,
    arn: `arn:aws:iam::111122223333:role/${name}`,
    trust: statement({ Principal: { Service: 'bedrock.amazonaws.com' }, Action: 'sts:AssumeRole' }),
    permissions: statement({
      Action: ['s3:GetObject', 's3:PutObject'],
      Resource: `arn:aws:s3:::${wish.bucket}/${wish.prefix}*`,
    }),
    exists: false,
    letter: `Please create the role ${name} in account 111122223333.`,
  };
}

const passRole = {
  Effect: 'Allow',
  Action: 'iam:PassRole',
  Resource: 'arn:aws:iam::111122223333:role/AmazonBedrock-Whetstone',
  Condition: { StringEquals: { 'iam:PassedToService': 'bedrock.amazonaws.com' } },
};

export const doctorReport: DoctorReport = {
  name: 'tuning',
  region: 'us-east-1',
  account: '111122223333',
  verdict: 'failed',
  checks: [
    {
      id: 'credentials',
      title: 'Credentials',
      state: 'ok',
      asked: 'Credentials: profile tuning',
      answered: 'A key that ends in Q7XA, for another 52 min.',
      mend: null,
    },
    {
      id: 'clock',
      title: 'Clock',
      state: 'warning',
      asked: 'The date in the answer of STS',
      answered: 'This computer’s clock is 94 s behind AWS’s.',
      mend: { words: 'Let this computer set its clock from the network.', policy: null, page: null },
    },
    {
      id: 'model',
      title: 'Base model',
      state: 'skipped',
      asked: 'A base model',
      answered: 'None was named.',
      mend: null,
    },
    {
      id: 'roleTrust',
      title: 'Role: trust',
      state: 'unknown',
      asked: 'iam:GetRole AmazonBedrock-Whetstone',
      answered: 'AccessDenied: you are not authorized to perform iam:GetRole',
      mend: null,
    },
    {
      id: 'passRole',
      title: 'Handing the role over',
      state: 'failed',
      asked: 'iam:PassRole, by iam:SimulatePrincipalPolicy',
      answered: 'No statement allows it to you.',
      mend: { words: 'Ask for this statement.', policy: JSON.stringify(passRole, null, 2), page: null },
    },
  ],
};

export const settings: Settings = { theme: 'system', monthlyBudgetUsd: null, transferLimit: null };

export const buckets: Bucket[] = [
  { name: 'whetstone-000000000000-us-east-1', createdAt: NOW - 30 * 86_400_000 },
  { name: 'support-transcripts', createdAt: NOW - 400 * 86_400_000 },
];

export const abandoned: AbandonedUpload[] = [
  {
    bucket: 'whetstone-000000000000-us-east-1',
    key: 'datasets/support-answers-02/training.jsonl',
    id: 'u-1',
    begunAt: NOW - 9 * 86_400_000,
    parts: 12,
    bytes: 96_000_000,
  },
];

export function listing(prefix: string): PlaceListing {
  const at = (name: string, bytes: number, days: number) => ({
    name,
    key: `${prefix}${name}`,
    bytes,
    modifiedAt: NOW - days * 86_400_000,
  });
  if (prefix !== '') return { folders: [], objects: [at('train.jsonl', 1_883_120, 3)], next: null };
  return {
    folders: [
      { name: 'datasets', prefix: 'datasets/' },
      { name: 'output', prefix: 'output/' },
    ],
    objects: [at('banking77.csv', 839_073, 12), at('notes.parquet', 48_112_004, 40)],
    next: null,
  };
}

export function preview(key: string): ObjectPreview {
  return {
    bytes: 839_073,
    modifiedAt: NOW - 12 * 86_400_000,
    contentType: 'text/csv',
    text: key.endsWith('.parquet')
      ? null
      : 'text,category\nI am still waiting on my card?,card_arrival\nCan I top up by cheque?,topping_up\n',
    cut: true,
  };
}

/** One throughput, and a model that is kept. */
export function runningCosts(arn?: string, endsAt: number | null = null): RunningCosts {
  const provisioned = 'arn:aws:bedrock:us-east-1:000000000000:provisioned-model/q4w8e2r6t1y9';
  const price = { region: 'us-east-1', source: 'AWS Price List API', date: '2026-08-02' };
  return {
    billed: true,
    hourlyUsd: 60.5027,
    unknown: 0,
    month: {
      soFarUsd: 214.2,
      expectedUsd: 6_310.4,
      budgetUsd: 500,
      warning: 'What is there now will bring this month to 6310.40 USD, over the budget of 500.00 USD.',
    },
    items: [
      {
        arn: provisioned,
        name: 'support-answers-night',
        kind: 'provisioned',
        baseModelName: 'Amazon Nova 2 Lite',
        units: 1,
        status: 'InService',
        since: NOW - 3.5 * 3_600_000,
        committedUntil: null,
        rate: { ...price, what: 'Provisioned throughput', usd: 60.5, unit: 'model unit-hour, no commitment' },
        hourlyUsd: 60.5,
        soFarUsd: 211.75,
        endsAt: arn === provisioned ? endsAt : null,
        endProblem: null,
      },
      {
        arn: 'arn:aws:bedrock:us-east-1:000000000000:custom-model/amazon.nova-2-lite/a1b2c3d4e5f6',
        name: 'support-answers-04',
        kind: 'storage',
        baseModelName: 'Amazon Nova 2 Lite',
        units: 1,
        status: 'Active',
        since: NOW - 12 * 86_400_000,
        committedUntil: null,
        rate: { ...price, what: 'Storage of the custom model', usd: 1.95, unit: 'model-month' },
        hourlyUsd: 0.0027,
        soFarUsd: 0.77,
        endsAt: null,
        endProblem: null,
      },
    ],
  };
}

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
  unit: null,
  withoutValidation: false,
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
  customizationTypes: ['fineTuning'],
  approaches: ['full', 'peft'],
  tuningRegions: [],
  serving: [{ onDemand: true, regions: [] }],
  teachers: [],
  otherTrainings: [],
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
  customizationTypes: ['fineTuning', 'distillation'],
  approaches: ['peft'],
  tuningRegions: ['us-east-1'],
  serving: [
    { onDemand: true, regions: ['us-east-1'] },
    { onDemand: false, regions: [] },
  ],
  teachers: ['amazon.nova-pro-v1:0'],
  otherTrainings: [
    {
      customizationType: 'distillation',
      dataFormat: 'conversation',
      minRecords: 100,
      maxRecords: null,
      validationAccepted: false,
      hyperparameters: [],
    },
  ],
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
      region: null,
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

export const dataModels: DataModel[] = baseModels.map(({ id, name, provider }) => ({
  id,
  name,
  provider,
  tuned: true,
}));

export function job(over: Partial<JobSummary> = {}): JobSummary {
  return {
    id: 'j-1',
    name: 'banking77-tiny-01',
    arn: 'arn:aws:bedrock:us-east-1:000000000000:model-customization-job/whetstone.tiny-v1/abcdefghijkl',
    baseModel: tiny.id,
    baseModelName: tiny.name,
    standIn: false,
    datasetName: 'banking77',
    connection: 'this-computer',
    connectionName: 'This computer',
    region: 'us-east-1',
    account: '000000000000',
    status: 'inProgress',
    createdAt: NOW - 4 * MINUTE - 7000,
    endedAt: null,
    trainingLoss: 0.412,
    validationLoss: 0.538,
    elsewhere: false,
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
      tokensPerSecond: 2140,
    },
    deployment: null,
    explanation: null,
    best: { step: 1002, loss: 0.531 },
    stoppedEarly: null,
    usual: 'Your 2 earlier jobs on this model trained for 212 s to 7 min.',
    advice: [],
    events: [
      { at: NOW - 247_000, text: 'Written down here; the upload begins' },
      {
        at: NOW - 245_400,
        text: 'The endpoint accepted the job: arn:aws:bedrock:us-east-1:000000000000:model-customization-job/whetstone.tiny-v1/abcdefghijkl',
      },
      { at: NOW - 245_000, text: 'Validation: completed' },
      { at: NOW - 238_000, text: 'Training: in progress' },
    ],
    notes: '',
    rehearsal: null,
    rehearsedBy: null,
    cloneRoute: '#/fine-tune/review?clone=j-1',
    ...over,
  };
}

/** The training priced, the hours of serving not known. */
export function cost(
  draft: Pick<JobDraft, 'baseModel' | 'hyperparameters'>,
  trainingTokens = 231_480,
): CostEstimate {
  const epochs = Number(draft.hyperparameters.epochCount ?? 2);
  const billedTokens = trainingTokens * epochs;
  const usd = (billedTokens / 1000) * 0.00378;
  return {
    baseModel: draft.baseModel,
    baseModelName: 'Amazon Nova 2 Lite',
    region: 'us-east-1',
    trainingTokens,
    tokenSource: { exact: false, name: 'estimate, 6 characters a token', note: null },
    epochs,
    billedTokens,
    billed: false,
    startUsd: 0,
    headline: 'Free',
    note: `A rehearsal on this computer is not billed. In us-east-1, training would cost about ${usd.toFixed(2)} USD.`,
    pricesFrom: 'Prices are from the price list, and from the app’s dated table where it names none.',
    budgetWarning: null,
    lines: [
      {
        item: 'training',
        label: 'Training',
        charged: 'once',
        rate: {
          what: 'Training',
          usd: 0.00378,
          unit: '1K tokens',
          region: 'us-east-1',
          source: 'AWS Price List API',
          date: '2026-08-02',
        },
        usd,
        note: `Tokens × epochs: ${billedTokens} tokens at 0.00378 USD per 1K tokens.`,
      },
      {
        item: 'storage',
        label: 'Storage of the custom model',
        charged: 'monthly',
        rate: {
          what: 'Storage of the custom model',
          usd: 1.95,
          unit: 'model-month',
          region: null,
          source: 'Cost notes of a public project',
          date: '2026-08',
        },
        usd: 1.95,
        note: 'For each custom model and month it is kept.',
      },
      {
        item: 'provisionedHour',
        label: 'Provisioned throughput',
        charged: 'hourly',
        rate: null,
        usd: null,
        note: 'Unknown: no dated source names it.',
      },
    ],
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
    cost: cost(draft),
    standIn: draft.baseModel !== 'whetstone.tiny-v1',
    recommended: [
      {
        key: 'learningRateWarmupSteps',
        value: '51',
        why: 'Records ÷ 160, as AWS advises for Nova Lite: 8003 ÷ 160.',
      },
    ],
  };
}

export function draft(over: Partial<JobDraft> = {}): JobDraft {
  return {
    customizationType: 'fineTuning',
    baseModel: nova.id,
    dataset: 'd-banking',
    invocationLogs: null,
    hyperparameters: { epochCount: '3', batchSize: '8' },
    jobName: 'support-answers-04',
    modelName: 'support-answers-04',
    teacher: null,
    grader: null,
    approach: null,
    outputUri: null,
    roleArn: null,
    kmsKey: null,
    vpc: null,
    jobTags: [],
    modelTags: [],
    ...over,
  };
}

export const catalog: Catalog = {
  goals: [
    {
      id: 'support',
      title: 'Answer like our support',
      example: 'Questions of customers, answered in your words and by your rules.',
      customizationType: 'fineTuning',
      why: 'Pairs of a question and the answer you would have given teach tone, rules and form at once.',
      data: 'Some hundred real questions with their best answers, spread over the topics that come up.',
      models: [
        { id: tiny.id, why: 'trains here as itself, in minutes and for nothing' },
        { id: nova.id, why: 'good answers at a low price, served on demand' },
      ],
    },
    {
      id: 'extract',
      title: 'Extract fields',
      example: 'Contracts, mails or tickets in; names, dates and amounts out, always in the same form.',
      customizationType: 'fineTuning',
      why: 'A fixed form of answer is what fine-tuning learns soonest, and a small model is enough for it.',
      data: 'A hundred texts or more, each with its fields written exactly as you want them back.',
      models: [{ id: llama.id, why: 'a small open model; a tuned copy needs provisioned throughput' }],
    },
    {
      id: 'distill',
      title: 'A small model like a large one',
      example: 'The answers of a large model, at the price and speed of a small one.',
      customizationType: 'distillation',
      why: 'A teacher answers your prompts, and the small model is trained on those answers.',
      data: 'A hundred prompts or more, as they come in practice; answers are not needed.',
      models: [{ id: nova.id, why: 'learns from Nova Pro and keeps more of it' }],
    },
  ],
  methods: [
    {
      id: 'full',
      name: 'Full fine-tuning',
      what: 'Every weight of the model may change.',
      gains: ['It can learn the most, and change the model the furthest.'],
      costs: ['It takes the most computing, and the most data.'],
    },
    {
      id: 'peft',
      name: 'Adapter (PEFT)',
      what: 'The model stays as it is, and a small set of weights beside it learns.',
      gains: ['It needs less data, less time and less money.'],
      costs: ['Where the task is far from what the model knows, it may learn less.'],
    },
    {
      id: 'instruction',
      name: 'Instruction fine-tuning',
      what: 'The model is shown instructions and the answers it should have given.',
      gains: ['It suits conversation, and teaches a form of answer quickly.'],
      costs: ['It learns what the examples show and little beyond.'],
    },
  ],
  families: [
    {
      name: 'Amazon Nova',
      approaches: ['peft'],
      note: 'AWS’s own tools tune it by adapter.',
      models: [nova.id],
    },
    {
      name: 'AI21 Jurassic',
      approaches: [],
      note: 'Cannot be fine-tuned on Bedrock: no table lists one of its models.',
      models: [],
    },
  ],
  listed: [
    {
      id: 'amazon.titan-embed-image-v1:0',
      name: 'Titan Multimodal Embeddings G1',
      provider: 'Amazon',
      customizationTypes: ['fineTuning'],
      tuningRegions: ['us-east-1', 'us-west-2'],
      lifecycle: 'active',
      lifecycleNote: null,
      why: 'It cannot be tuned here: it makes embeddings of pictures and text.',
      known: ['1,000 to 500,000 records.', 'batchSize: 256 to 9,216, 576 by default.'],
      fromEndpoint: false,
    },
  ],
  endpointProblem: null,
};

export const shownCall: ShownCall = {
  cli: 'aws bedrock create-model-customization-job \\\n  --customization-type FINE_TUNING \\\n  --base-model-identifier amazon.nova-lite-v1:0:300k\n',
  python: 'import boto3\n',
  rust: 'use aws_sdk_bedrock::types;\n',
  json: '{}',
  placeholders: ['the client token'],
};

export const firstBatch: FirstBatch = {
  about: 'The first step takes these 2 records: seed 1 decides which.',
  tokens: 41,
  learned: 12,
  records: [
    {
      position: 17,
      line: '{"prompt":"Where is my card?","completion":"card_arrival"}',
      pieces: [
        { text: '<|user|> Where is my card?<|assistant|>', learned: false },
        { text: ' card_arrival<|end|>', learned: true },
      ],
      tokens: 21,
    },
    {
      position: 4,
      line: '{"prompt":"My top up was reverted.","completion":"top_up_reverted"}',
      pieces: [
        { text: '<|user|> My top up was reverted.<|assistant|>', learned: false },
        { text: ' top_up_reverted<|end|>', learned: true },
      ],
      tokens: 20,
    },
  ],
};

export const playable: PlayableModel[] = [
  {
    modelId: 'whetstone.tiny-v1',
    name: 'Tiny v1',
    kind: 'base',
    standIn: false,
    job: null,
    baseModel: 'whetstone.tiny-v1',
    dataset: null,
    servedAs: null,
    takes: {
      chat: true,
      completion: true,
      system: true,
      topK: true,
      stopSequences: true,
      images: 0,
      documents: 0,
    },
  },
  {
    modelId: 'arn:aws:bedrock:us-east-1:000000000000:custom-model-deployment/abc',
    name: 'banking77-intents',
    kind: 'tuned',
    standIn: false,
    job: 'j-2',
    baseModel: 'whetstone.tiny-v1',
    dataset: 'd-banking',
    servedAs: null,
    takes: {
      chat: true,
      completion: true,
      system: true,
      topK: false,
      stopSequences: false,
      images: 0,
      documents: 0,
    },
  },
];

const NOVA = 'amazon.nova-lite-v1:0:300k';
const HOURLY: Price = {
  what: 'Provisioned throughput',
  usd: 108.15,
  unit: 'model unit-hour, no commitment',
  region: null,
  source: 'A public blog post',
  date: '2026-08-02',
};

export const ownModels: OwnModel[] = [
  {
    arn: 'arn:aws:bedrock:us-east-1:000000000000:custom-model/amazon.nova-lite-v1:0:300k/mno',
    name: 'support-answers-03',
    kind: 'custom',
    baseModel: NOVA,
    baseModelName: 'Nova Lite',
    architecture: null,
    status: 'Active',
    createdAt: NOW - 6 * 3_600_000,
    standIn: true,
    local: true,
    lineage: {
      job: 'j-2',
      jobName: 'support-answers-03',
      dataset: 'd-support',
      datasetName: 'Customer support',
      records: 290,
      trainingUri: 's3://whetstone/jobs/support-answers-03/train.jsonl',
    },
    servedBy: [
      {
        arn: 'arn:aws:bedrock:us-east-1:000000000000:custom-model-deployment/abc',
        name: 'support-answers-03',
        way: 'onDemand',
        status: 'Active',
        failure: null,
        createdAt: NOW - 5 * 3_600_000,
        turningTo: null,
        units: 0,
        committedUntil: null,
        rate: null,
        hourlyUsd: null,
        endsAt: null,
        endProblem: null,
        askedAt: NOW - 60_000,
      },
      {
        arn: 'arn:aws:bedrock:us-east-1:000000000000:provisioned-model/xyz',
        name: 'support-load-test',
        way: 'provisioned',
        status: 'InService',
        failure: null,
        createdAt: NOW - 3 * 3_600_000,
        turningTo: null,
        units: 1,
        committedUntil: null,
        rate: HOURLY,
        hourlyUsd: 108.15,
        endsAt: null,
        endProblem: null,
        askedAt: null,
      },
    ],
    storage: null,
  },
  {
    arn: 'arn:aws:bedrock:us-east-1:000000000000:custom-model/amazon.nova-lite-v1:0:300k/pqr',
    name: 'support-answers-02',
    kind: 'custom',
    baseModel: NOVA,
    baseModelName: 'Nova Lite',
    architecture: null,
    status: 'Active',
    createdAt: NOW - 30 * 3_600_000,
    standIn: true,
    local: true,
    lineage: null,
    servedBy: [],
    storage: null,
  },
  {
    arn: 'arn:aws:bedrock:us-east-1:000000000000:imported-model/imp',
    name: 'llama-legal',
    kind: 'imported',
    baseModel: null,
    baseModelName: null,
    architecture: 'llama',
    status: 'Active',
    createdAt: NOW - 50 * 3_600_000,
    standIn: false,
    local: true,
    lineage: null,
    servedBy: [],
    storage: null,
  },
];

export const servingPlan: ServingPlan = {
  ways: [
    { way: 'onDemand', rates: [] },
    { way: 'provisioned', rates: [HOURLY] },
  ],
  why: 'Tuned copies of Nova Lite are served on demand here: billed by the token, nothing while idle.',
  suggestedName: 'support-answers-03-2',
  billed: false,
  pricesFrom: 'Prices are from the app’s dated table.',
};
