/** Answers to the calls about datasets, made up from the fixtures: enough for every state of the screens to be seen. */
import type { DatasetSummary, FilePreview, Hit, Span, StatisticsChartRequest, View } from '../src/contract';
import * as fixture from './dataset-fixtures';
import { NOW } from './fixtures';
import { barChart } from './bar-chart';
import type { Handlers } from './test-host';

const csv: FilePreview = {
  file: { token: 't', name: 'train.csv', bytes: 839_073, attachesAs: 'document' },
  format: 'CSV, comma, 3 columns',
  reading: {
    format: 'csv',
    schema: null,
    encoding: 'utf-8',
    delimiter: ',',
    header: true,
    sheet: null,
    mapping: { prompt: 'text', completion: 'category', system: null },
    template: null,
  },
  formats: [
    { id: 'jsonl', label: 'JSON Lines', note: null },
    { id: 'csv', label: 'CSV', note: null },
    { id: 'parquet', label: 'Parquet', note: null },
    { id: 'xlsx', label: 'Excel', note: null },
  ],
  schemas: [],
  encodings: [
    { id: 'utf-8', label: 'UTF-8', note: null },
    { id: 'windows-1252', label: 'Windows-1252', note: null },
  ],
  sheets: [],
  inPlace: false,
  inPlaceObstacle: 'A CSV file is converted into JSON Lines of the app’s own; the file stays as it is.',
  columns: ['text', 'category', 'source'],
  sample: Array.from({ length: 8 }, (_, index) => [fixture.prompt(index), fixture.completion(index), 'web']),
  records: Array.from({ length: 5 }, (_, index) => ({
    line: index + 2,
    turns: [fixture.say('user', fixture.prompt(index)), fixture.say('assistant', fixture.completion(index))],
    problem: null,
  })),
  problem: null,
  notes: ['The encoding was taken to be UTF-8.'],
};

/** With a filter every tenth record is let through, beginning with the fifth. */
const filtered = (view: View): boolean => view.filter.trim() !== '';
const positionOf = (view: View) => (place: number) => (filtered(view) ? 4 + place * 10 : place);

function spansOf(view: View, places: Span): Span[] {
  if (!filtered(view)) return [places];
  return Array.from({ length: places.end - places.start }, (_, index) => {
    const position = positionOf(view)(places.start + index);
    return { start: position, end: position + 1 };
  });
}

function hits(text: string, replacement: string | null, first: number, count: number): Hit[] {
  return Array.from({ length: Math.max(0, Math.min(count, 3204 - first)) }, (_, index) => {
    const position = (first + index) * 3 + 1;
    const whole = fixture.completion(position);
    const at = Math.max(0, whole.toLowerCase().indexOf(text.toLowerCase()));
    return {
      position,
      offset: position,
      turn: 2,
      block: 0,
      start: at,
      end: at + text.length,
      before: whole.slice(Math.max(0, at - 24), at),
      text: whole.slice(at, at + text.length) || text,
      after: whole.slice(at + text.length, at + 60),
      replacement,
    };
  });
}

function chart(request: StatisticsChartRequest) {
  const heights = Array.from({ length: 28 }, (_, index) =>
    Math.round(900 * Math.exp(-(((index - 9) / 6) ** 2))),
  );
  return { svg: barChart(request, heights), description: 'Most records have between 20 and 60 tokens.' };
}

const spread = (mean: number) => ({
  sum: mean * 10_003,
  least: Math.round(mean / 5),
  median: Math.round(mean * 0.9),
  p90: mean * 2,
  p99: mean * 3,
  most: mean * 9,
  mean,
});

const COMPLETIONS = [
  { label: 'finding:reserved-word', note: '3 records', insert: 'finding:reserved-word' },
  { label: 'finding:exact-duplicate', note: '84 records', insert: 'finding:exact-duplicate' },
  { label: 'tokens>', note: 'more tokens than', insert: 'tokens>' },
  { label: 'completion:', note: 'text in the completion', insert: 'completion:' },
  { label: 'split:', note: 'training, validation or hold-out', insert: 'split:' },
];

export function datasetAnswers(datasets: DatasetSummary[]): Handlers {
  const find = (id: string) => datasets.find((one) => one.id === id) ?? fixture.dataset();
  const total = (view: View) => {
    const { records } = find(view.dataset);
    return filtered(view) ? Math.ceil(Math.max(0, records - 4) / 10) : records;
  };
  const changed = (id: string, label: string, over: Partial<ReturnType<typeof fixture.change>> = {}) =>
    fixture.change({ summary: { ...find(id), undo: label, redo: null }, label, ...over });
  return {
    pick_file: () => csv.file,
    preview_file: ({ reading }) => ({ ...csv, reading: reading ?? csv.reading }),
    datasets: () => datasets,
    dataset: ({ dataset }) => find(dataset),
    rename_dataset: ({ dataset, name }) => ({ ...find(dataset), name }),
    delete_dataset: () => ({}),
    save_dataset: ({ dataset }) => ({
      summary: { ...find(dataset), unsaved: false },
      file: '/home/ada/tickets.jsonl',
      records: find(dataset).records,
    }),
    save_dataset_as: ({ dataset }) => ({ summary: find(dataset), file: null, records: 0 }),
    choose_file: ({ dataset }) => ({ ...find(dataset), file: fixture.dataset().file }),
    columns: () =>
      ['prompt', 'completion', 'system', 'turns', 'characters', 'id'].map((id) => ({
        id,
        label: id.charAt(0).toUpperCase() + id.slice(1),
        number: id === 'turns' || id === 'characters',
        preset: id === 'prompt' || id === 'completion',
        sortable: true,
      })),
    rows: ({ view, columns, offset, count }) => {
      const window = fixture.rowWindow(total(view), offset, count, positionOf(view));
      return {
        ...window,
        records: find(view.dataset).records,
        coverage: find(view.dataset).index,
        rows: window.rows.map((row) => fixture.row(row.position, columns)),
      };
    },
    positions: ({ view, places }) => spansOf(view, places),
    locate: ({ view, position }) => {
      if (!filtered(view)) return { offset: position };
      return { offset: position % 10 === 4 ? (position - 4) / 10 : null };
    },
    filter_help: ({ text, cursor }) => {
      const start = text.lastIndexOf(' ', cursor - 1) + 1;
      const word = text.slice(start, cursor);
      const bad = /tokens>[^\d\s]\S*/.exec(text);
      return {
        problem: bad
          ? {
              message: 'A number has to follow “tokens>”.',
              hint: 'For example tokens>400.',
              start: bad.index + 7,
              end: bad.index + bad[0].length,
            }
          : null,
        completions: COMPLETIONS.filter((one) => one.label.startsWith(word)).map((one) => ({
          ...one,
          start,
          end: cursor,
        })),
      };
    },
    record: ({ position }) => fixture.record(position),
    check_record: ({ body, position }) =>
      fixture.content(body.kind === 'turns' ? body.turns : fixture.turnsOf(position ?? 0), position),
    edit_record: ({ dataset, position, body }) => ({
      change: changed(dataset, `Edit record ${position + 1}`, { position }),
      record: fixture.record(position, body.kind === 'turns' ? body.turns : fixture.turnsOf(position)),
    }),
    insert_records: ({ dataset, position }) => changed(dataset, 'Insert a record', { position, moved: true }),
    duplicate_records: ({ dataset }) => changed(dataset, 'Duplicate', { moved: true }),
    delete_records: ({ dataset }) => changed(dataset, 'Delete', { moved: true }),
    move_records: ({ dataset }) => changed(dataset, 'Move', { moved: true }),
    edit_records: ({ dataset }) => changed(dataset, 'Set the system text', { records: 1204, untouched: 3 }),
    find: ({ query, replacement, from, count }) => {
      const first = from.kind === 'hit' ? from.index : Math.ceil(Math.max(0, from.offset - 1) / 3);
      const broken = query.regex && query.text.includes('(') && !query.text.includes(')');
      return {
        hits: broken ? 0 : 3204,
        records: broken ? 0 : 2871,
        coverage: fixture.done,
        first,
        window: broken ? [] : hits(query.text, replacement, first, count),
        problem: broken ? { message: 'A group is not closed.', hint: null, start: 0, end: 1 } : null,
      };
    },
    replace: ({ dataset }) => changed(dataset, 'Replace in 2,871 records', { records: 2871 }),
    undo: ({ dataset }) => ({
      ...changed(dataset, 'Edit record 12'),
      summary: { ...find(dataset), undo: null, redo: 'Edit record 12' },
    }),
    redo: ({ dataset }) => changed(dataset, 'Edit record 12'),
    findings: () => fixture.report(),
    find_near_duplicates: () => fixture.report({ near: { complete: false, fraction: 0.4, activity: 'a-1' } }),
    finding_list: ({ rule, offset, count }) => {
      const many = fixture.report().rules.find((one) => one.rule === rule)?.findings ?? 142;
      return {
        total: many,
        offset,
        findings: Array.from({ length: Math.max(0, Math.min(count, many - offset)) }, (_, index) =>
          fixture.findingAt(rule, offset + index),
        ),
      };
    },
    next_finding: ({ view, from, direction }) => {
      if (filtered(view)) {
        const offset = direction === 'forward' ? (from ?? -1) + 1 : Math.max(0, (from ?? 1) - 1);
        return { position: 4 + offset * 10, offset };
      }
      const at = from ?? -1;
      const position =
        direction === 'forward'
          ? Math.floor((at + 6) / 10) * 10 + 4
          : Math.max(4, Math.ceil((at - 14) / 10) * 10 + 4);
      return { position, offset: position };
    },
    fix_findings: ({ dataset }) => changed(dataset, 'Remove the word', { records: 3, position: 4 }),
    fix_draft: ({ body, position }) =>
      fixture.content(
        (body.kind === 'turns' ? body.turns : fixture.turnsOf(position ?? 0)).map((turn) => ({
          ...turn,
          content: turn.content.map((block) => ({ ...block, text: block.text.replace('User: ', '') })),
        })),
        position,
      ),
    snapshots: () => [
      {
        id: 's-2',
        name: 'before the clean-up',
        createdAt: NOW - 3_600_000,
        records: 1_004_318,
        automatic: false,
      },
      {
        id: 's-1',
        name: 'Before “Fix them all”',
        createdAt: NOW - 86_400_000,
        records: 1_004_318,
        automatic: true,
      },
    ],
    create_snapshot: ({ name }) => ({ id: 's-3', name, createdAt: NOW, records: 10_003, automatic: false }),
    delete_snapshot: () => ({}),
    diff_snapshot: ({ kind, offset }) => ({
      added: 1,
      removed: 6,
      changed: 3,
      reordered: false,
      coverage: fixture.done,
      total: kind === null ? 10 : 3,
      offset,
      entries: [
        {
          kind: 'changed',
          before: 4,
          after: 4,
          turns: [
            {
              role: 'assistant',
              parts: [
                { kind: 'same', text: 'I am sorry about that. ' },
                { kind: 'removed', text: 'User: asked for a trace, so ' },
                { kind: 'same', text: 'I have opened ' },
                { kind: 'added', text: 'a trace' },
                { kind: 'removed', text: 'one' },
                { kind: 'same', text: '; you will hear from us by Friday.' },
              ],
            },
          ],
        },
        {
          kind: 'removed',
          before: 17,
          after: null,
          turns: [
            { role: 'user', parts: [{ kind: 'removed', text: fixture.prompt(7) }] },
            { role: 'assistant', parts: [{ kind: 'removed', text: fixture.completion(7) }] },
          ],
        },
        {
          kind: 'added',
          before: null,
          after: 31,
          turns: [
            { role: 'user', parts: [{ kind: 'added', text: fixture.prompt(9) }] },
            { role: 'assistant', parts: [{ kind: 'added', text: fixture.completion(9) }] },
          ],
        },
      ],
    }),
    restore_snapshot: ({ dataset }) => changed(dataset, 'Restore “before the clean-up”', { moved: true }),
    statistics: ({ dataset }) => ({
      coverage: fixture.done,
      records: find(dataset).records,
      turns: find(dataset).records * 3,
      tokenSource: fixture.estimate,
      whole: spread(48),
      prompt: spread(19),
      completion: spread(29),
      characters: spread(288),
      turnCounts: [{ label: '3', records: find(dataset).records }],
      labels: [],
      labelCount: 0,
      languages: [{ label: 'English', records: find(dataset).records }],
      languagesNote: 'Told from the frequency of letters in the prompt; short texts are left out.',
      duplicates: { exact: 84, near: 212, conflicting: 31 },
      cost: {
        tokens: 384_120,
        records: 8003,
        ofAllRecords: false,
      },
    }),
    statistics_chart: (request) => chart(request),
    split_keys: () => [
      { id: 'completion', label: 'Completion', distinct: 77, examples: ['card_arrival', 'lost_card'] },
      { id: 'id', label: 'id', distinct: 9800, examples: ['ticket-20001', 'ticket-20002'] },
    ],
    preview_split: ({ dataset, method }) => {
      const { records } = find(dataset);
      const tenth = Math.round(records / 10);
      return {
        training: records - 2 * tenth,
        validation: tenth,
        holdOut: tenth,
        parts: ['card_arrival', 'exchange_rate', 'lost_card', 'pending_transfer', 'top_up_reverted'].map(
          (label, index) => ({
            label,
            training: 160 - index * 11,
            validation: 20 - index,
            holdOut: 20 - index,
          }),
        ),
        partCount: 77,
        notes:
          method.kind === 'stratified'
            ? ['2 labels have fewer than three records and are trained on only.']
            : [],
      };
    },
    split_dataset: ({ dataset }) => find(dataset),
    export_dataset: () => ({ folder: '/home/ada/exports', files: ['training.jsonl', 'validation.jsonl'] }),
    conversion_choices: () => ({
      schemas: [
        { id: 'conversation', label: 'Converse conversations', note: 'What Nova and Claude are tuned on.' },
        { id: 'openai', label: 'OpenAI chat', note: null },
        { id: 'pairs', label: 'Prompt and completion', note: null },
      ],
      formats: [
        { id: 'jsonl', label: 'JSON Lines', note: null },
        { id: 'csv', label: 'CSV', note: 'One question and one answer a row.' },
        { id: 'examples', label: 'JSON with examples', note: 'One question and one answer each.' },
      ],
      formatsOfSchema: ['jsonl'],
      compressions: [
        { id: 'none', label: 'None', note: null },
        { id: 'gz', label: 'gzip', note: null },
        { id: 'zst', label: 'zstd', note: null },
      ],
      ownSchema: 'conversation',
    }),
    preview_conversion: ({ dataset, schema }) => ({
      records: find(dataset).records,
      whole: schema === 'conversation' ? find(dataset).records : find(dataset).records - 1003,
      leftOut: schema === 'pairs' ? 12 : 0,
      losses:
        schema === 'conversation'
          ? []
          : [
              {
                what: 'Pictures, videos and documents',
                detail: 'A picture has no place in the form "prompt and completion".',
                records: 1003,
                position: 4,
                leftOut: 0,
              },
              ...(schema === 'pairs'
                ? [
                    {
                      what: 'Turns beyond one question and answer',
                      detail: 'Four turns have no place in the form "prompt and completion".',
                      records: 12,
                      position: 17,
                      leftOut: 12,
                    },
                  ]
                : []),
            ],
      coverage: fixture.done,
      sample: [0, 1]
        .map((position) =>
          JSON.stringify({ prompt: fixture.prompt(position), completion: fixture.completion(position) }),
        )
        .join('\n'),
    }),
    convert_dataset: () => ({
      file: '/home/ada/tickets.csv.gz',
      bytes: 120_400_000,
      report: { records: 10, whole: 10, leftOut: 0, losses: [], coverage: fixture.done, sample: '' },
    }),
  };
}
