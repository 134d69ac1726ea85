/** Made-up evaluations for tests and for looking at the screen. */
import type {
  Candidate,
  Duel,
  Evaluation,
  EvaluationDraft,
  EvaluationPlan,
  EvaluationRows,
  EvaluationSummary,
  JudgePlan,
  JudgeRequest,
  JudgeRows,
  MetricCell,
  MetricRow,
  WinRate,
} from '../src/contract';
import { NOW } from './fixtures';
import type { Handlers } from './test-host';

const candidates: Candidate[] = [
  { modelId: 'whetstone.tiny-v1', name: 'Tiny v1', examples: 0, tuned: false },
  { modelId: 'whetstone.tiny-v1', name: 'Tiny v1', examples: 4, tuned: false },
  { modelId: 'arn:aws:bedrock:deployment/1', name: 'banking77-intents', examples: 0, tuned: true },
].map((one) => ({ ...one, baseModel: 'whetstone.tiny-v1', standIn: false, system: null }));

const draft: EvaluationDraft = {
  name: 'banking77-intents on hold-out',
  dataset: 'd-banking',
  part: 'holdOut',
  records: 400,
  seed: 1,
  candidates,
  maxTokens: 32,
  temperature: 0,
  metric: null,
  judge: null,
  measures: [],
};

export function evaluationSummary(over: Partial<EvaluationSummary> = {}): EvaluationSummary {
  return {
    id: 'e-1',
    name: draft.name,
    state: 'done',
    createdAt: NOW - 7_200_000,
    dataset: draft.dataset,
    datasetName: 'banking77',
    part: 'holdOut',
    connectionName: 'This computer',
    region: 'us-east-1',
    records: 400,
    prompts: 1200,
    answered: 1200,
    candidates: ['Tiny v1', 'Tiny v1, 4 examples', 'banking77-intents'],
    standIn: false,
    headline: 'Yes, it helped',
    outcome: 'better',
    error: null,
    activity: null,
    ...over,
  };
}

const running = evaluationSummary({
  id: 'e-2',
  name: 'support-answers-03 on hold-out',
  state: 'running',
  createdAt: NOW - 60_000,
  datasetName: 'Customer support',
  records: 40,
  prompts: 120,
  answered: 47,
  headline: null,
  outcome: null,
  activity: 'a-1',
});

const unclear = evaluationSummary({
  id: 'e-3',
  name: 'clauses-second-try on hold-out',
  createdAt: NOW - 90_000_000,
  datasetName: 'Legal clauses',
  records: 27,
  prompts: 54,
  answered: 54,
  candidates: ['Nova Micro', 'clauses'],
  standIn: true,
  headline: 'No clear difference',
  outcome: 'noClearDifference',
});

function cell(value: number, reach: number, from: number | null, more = true): MetricCell {
  const difference = from === null ? null : value - from;
  return {
    value,
    low: Math.max(0, value - reach),
    high: value + reach,
    difference:
      difference === null
        ? null
        : {
            value: difference,
            low: difference - reach,
            high: difference + reach,
            p: Math.abs(difference) > reach ? 0.0004 : 0.41,
            outcome:
              Math.abs(difference) < reach
                ? 'noClearDifference'
                : difference > 0 === more
                  ? 'better'
                  : 'worse',
          },
  };
}

function row(id: string, label: string, values: [number, number, number], reach = 0.04): MetricRow {
  const cells = values.map((value, at) => cell(value, reach, at === 0 ? null : values[0]));
  return { id, label, unit: null, moreIsBetter: true, cells };
}

function winRate(candidate: number, won: number, lost: number, neither: number): WinRate {
  const value = won / (won + lost);
  const enough = won + lost >= 6;
  return {
    candidate,
    won,
    lost,
    neither,
    share: { value, low: Math.max(0, value - 0.12), high: Math.min(1, value + 0.09) },
    p: enough ? 0.0004 : 1,
    standing: enough ? 'preferred' : 'notEnough',
    words: enough
      ? `banking77-intents is preferred on ${won} of ${won + lost} records, Tiny v1 on ${lost}: a win rate of ${(value * 100).toFixed(1)} % (p < 0.001). On ${neither} more neither is.`
      : `banking77-intents is preferred on ${won} of ${won + lost} records, Tiny v1 on ${lost}. Fewer than 6 that choose a side show nothing, not even all for one.`,
  };
}

const evaluation: Evaluation = {
  summary: evaluationSummary(),
  draft,
  compared: 400,
  refusedByEndpoint: 0,
  metric: 'exact_match',
  metricLabel: 'Exact match',
  verdicts: [
    {
      candidate: 1,
      outcome: 'noClearDifference',
      heading: 'Tiny v1, 4 examples: no clear difference',
      words:
        'Exact match: Tiny v1, 4 examples has 9 of 400 (2.3 %), Tiny v1 has 4 (1.0 %). The difference lies between -0.5 and +3.0 points (p = 0.227, paired): either of them may be the better one.',
      won: 8,
      lost: 3,
    },
    {
      candidate: 2,
      outcome: 'better',
      heading: 'Yes, it helped',
      words:
        'Exact match: banking77-intents has 331 of 400 (82.8 %), Tiny v1 has 4 (1.0 %). The gain lies between 77.4 and 85.0 points (p < 0.001, paired).',
      won: 328,
      lost: 1,
    },
  ],
  headlineVerdict: 2,
  metrics: [
    row('exact_match', 'Exact match', [0.01, 0.023, 0.828]),
    row('normalised_match', 'Normalised match', [0.012, 0.023, 0.828]),
    row('macro_f1', 'Macro-F1', [0.008, 0.019, 0.812]),
    row('edit_similarity', 'Edit similarity', [0.21, 0.34, 0.93]),
    {
      id: 'latency',
      label: 'Latency',
      unit: 'ms',
      moreIsBetter: false,
      cells: [cell(312, 14, null), cell(641, 22, 312, false), cell(58, 4, 312, false)],
    },
  ],
  slices: [
    {
      by: 'Prompt length',
      slices: [
        ['up to 41 characters', 134, 0.87],
        ['42 to 63 characters', 133, 0.84],
        ['over 63 characters', 133, 0.77],
      ].map(([name, records, value]) => ({
        name: String(name),
        records: Number(records),
        cells: [cell(0.01, 0.02, null), cell(0.02, 0.03, 0.01), cell(Number(value), 0.05, 0.01)],
      })),
    },
  ],
  judged: {
    judge: {
      modelId: 'amazon.nova-pro-v1:0',
      name: 'Amazon Nova Pro',
      baseModel: null,
      tuned: false,
      kind: 'pairwise',
      prompt: 'Which is better?\n{a}\n{b}',
      maxTokens: 256,
    },
    asked: 798,
    answered: 798,
    unreadable: 14,
    comparisons: [
      {
        winRate: winRate(2, 301, 22, 62),
        unreadable: 13,
        firstShown: 0.56,
        ordersAgree: 0.84,
        people: { records: 40, share: 0.85, kappa: 0.71, measure: 'Cohen’s κ' },
      },
    ],
    scores: null,
    scored: 0,
  },
  people: [
    {
      winRate: winRate(2, 33, 3, 5),
      votes: 81,
      bothBad: 3,
      raters: [
        { name: 'Ann', votes: 41 },
        { name: 'Ben', votes: 40 },
      ],
      agreement: { records: 40, share: 0.9, kappa: 0.78, measure: 'Cohen’s κ' },
    },
  ],
  hasLabels: false,
  next: [
    '“card_arrival” is taken for “card_delivery_estimate” 6 times: add records that tell the two apart.',
    'It is weakest by prompt length at over 63 characters: 77 % over 133 records. More records of that kind would help most.',
  ],
  methods: ['Intervals hold 95 %: Wilson’s for shares, 2,000 bootstrap draws for the rest.'],
};

const rows: EvaluationRows = {
  total: 2,
  rows: [
    {
      position: 11,
      prompt: 'I am still waiting on my card?',
      reference: 'card_arrival',
      answers: [
        { text: 'The card was a little better than the other', error: null, score: 0, totalMs: 301 },
        { text: 'top_up_reverted', error: null, score: 0, totalMs: 640 },
        { text: 'card_arrival', error: null, score: 1, totalMs: 52 },
      ],
    },
    {
      position: 31,
      prompt: 'Is there a way to know when my card will arrive?',
      reference: 'card_delivery_estimate',
      answers: [
        { text: '', error: 'The prompt is longer than the model takes.', score: 0, totalMs: 0 },
        { text: '', error: null, score: 0, totalMs: 12 },
        { text: 'card_delivery_estimate', error: null, score: 1, totalMs: 61 },
      ],
    },
  ],
};

function plan(asked: EvaluationDraft): EvaluationPlan {
  const records = Math.min(asked.records ?? 1000, 1000);
  return {
    problems: asked.name === '' ? [{ field: 'name', message: 'A name is needed.', suggestion: null }] : [],
    warnings: [],
    available: 1000,
    records,
    prompts: records * asked.candidates.length,
    answered: 0,
    precision: `With ${records} records a share of right answers is known to within 4.9 points (95 % interval); four times as many would make it 2.4.`,
    cost: { billed: false, usd: 0, headline: 'Free', notes: ['It runs on this computer and is not billed.'] },
    metrics: [
      { id: 'exact_match', label: 'Exact match' },
      { id: 'macro_f1', label: 'Macro-F1' },
    ],
  };
}

/** What there is to vote on; a vote takes the next, and undo the one before. */
const TURNS = [
  ['I am still waiting on my card?', 'card_arrival', 'The card was a little better than the other'],
  ['Is there a way to know when my card will arrive?', 'card_delivery_estimate', 'top_up_reverted'],
] as const;

function duel(voted: number): Duel {
  const at = TURNS[voted];
  return {
    turn: at
      ? { position: 11 + voted, system: null, turns: [at[0]], reference: at[1], left: at[2], right: at[1] }
      : null,
    voted,
    total: TURNS.length,
    same: 4,
  };
}

function judgePlan({ judge }: JudgeRequest): JudgePlan {
  const holds = judge.kind === 'rubric' ? ['{answer}'] : ['{a}', '{b}'];
  const wrong = holds.some((name) => !judge.prompt.includes(name));
  return {
    problems: wrong
      ? [{ field: 'judgePrompt', message: `It needs ${holds.join(' and ')}.`, suggestion: null }]
      : [],
    prompts: judge.kind === 'rubric' ? 1200 : 1596,
    answered: 0,
    same: 2,
    cost: { billed: true, usd: null, headline: 'Price unknown', notes: ['No dated source names its price.'] },
    pairwisePrompt: 'Which answer is better?\n\n{prompt}\n\n{a}\n\n{b}\n\nVerdict: A, B or tie',
    rubricPrompt: 'How good is it?\n\n{prompt}\n\n{answer}\n\nScore: N',
    example: null,
  };
}

const judgeRows: JudgeRows = {
  total: 2,
  rows: [
    {
      position: 11,
      candidate: 2,
      prompt: 'Which answer is better?\n\nI am still waiting on my card?',
      answer: 'The second names the intent.\nVerdict: B',
      error: null,
      verdict: 'banking77-intents',
    },
    {
      position: 31,
      candidate: 2,
      prompt: 'Which answer is better?\n\nWhen will my card arrive?',
      answer: 'Both have their merits, and it depends',
      error: null,
      verdict: null,
    },
  ],
};

export function evaluationAnswers(): Handlers {
  let voted = 0;
  const all = [running, evaluationSummary(), unclear];
  return {
    evaluations: () => all,
    evaluation: ({ evaluation: id }) => ({
      ...evaluation,
      summary: all.find((one) => one.id === id) ?? evaluation.summary,
    }),
    plan_evaluation: plan,
    start_evaluation: () => running,
    resume_evaluation: () => running,
    delete_evaluation: () => ({}),
    evaluation_rows: () => rows,
    evaluation_chart: () => ({ svg: null, description: 'Nothing was mixed up.' }),
    plan_judge: judgePlan,
    start_judge: () => running,
    judge_rows: ({ which }) =>
      which === 'unreadable' ? { total: 1, rows: judgeRows.rows.slice(1) } : judgeRows,
    duel: () => duel(voted),
    vote: () => duel((voted += 1)),
    undo_vote: () => duel((voted = Math.max(0, voted - 1))),
    export_evaluation: ({ what }) => ({ name: `banking77-intents.${what}` }),
  };
}
