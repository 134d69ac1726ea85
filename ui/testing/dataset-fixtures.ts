/** Made-up datasets and records, for tests and for looking at screens. */
import type {
  Change,
  Coverage,
  DatasetSummary,
  Finding,
  FindingsReport,
  RecordContent,
  RecordDetail,
  Row,
  RowWindow,
  TokenSource,
  Turn,
} from '../src/contract';
import { NOW } from './fixtures';

const MINUTE = 60_000;

export const done: Coverage = { complete: true, fraction: 1, activity: null };

export const estimate: TokenSource = {
  exact: false,
  name: 'estimate, 6 characters each',
  note: 'AWS gives this ratio for Nova in its guide on preparing data.',
};

export function dataset(over: Partial<DatasetSummary> = {}): DatasetSummary {
  return {
    id: 'd-banking',
    name: 'banking77',
    source: 'train.csv',
    origin: 'imported',
    schema: 'prompt and completion',
    bytes: 1_412_000,
    records: 10_003,
    index: done,
    createdAt: NOW - 26 * MINUTE,
    editedAt: NOW - 2000,
    split: {
      training: 8003,
      validation: 1000,
      holdOut: 1000,
      seed: 1,
      method: { kind: 'ratio', validationPercent: 10, holdOutPercent: 10 },
      frozenBy: null,
    },
    undo: 'Edit record 12',
    redo: null,
    unsaved: true,
    file: { path: null, state: 'asItWas', message: null, choices: [] },
    ...over,
  };
}

export function change(over: Partial<Change> = {}): Change {
  return {
    summary: dataset(),
    label: 'Edit',
    records: 1,
    untouched: 0,
    position: 3,
    moved: false,
    ...over,
  };
}

const PROMPTS = [
  'I am still waiting on my card?',
  'What can I do if my card still hasn’t arrived after 2 weeks?',
  'I have been waiting over a week. Is the card still coming?',
  'Can I track my card while it is in the process of delivery?',
  'My parcel says delivered but it is not here. Order 48211.',
  'When did you send me my new card?',
  'Do you have info about the card on delivery, and why was I charged a fee that nobody told me about?',
  'I made a transfer a few hours ago and it still says “pending”, is that normal?',
  'Please help me, my top up has been reverted and I do not know why',
  'What is the exchange rate that you use?',
];
const COMPLETIONS = [
  'It left us on Tuesday and takes four days; the app shows where it is under Cards.',
  'I am sorry. I have blocked the first card and sent a second one today, free of charge.',
  'Yes. Cards to your region take up to ten days at the moment.',
  'You can: open Cards, then Delivery. The number there works on the carrier’s page, too.',
  'I am sorry about that. User: asked for a trace, so I have opened one; you will hear from us by Friday.',
  'On the third of March. If it is not there by the twelfth, write to us here again.',
  'The fee is for express delivery, which was chosen when you ordered. I can take it back once.',
  'It is. Transfers to other banks are pending until the next working day.',
  'Your bank sent it back because the name differed. Try again with the name on your card.',
  'We use the interbank rate of the moment, without a margin on working days.',
];

export const prompt = (position: number): string => PROMPTS[position % 10] ?? '';
export const completion = (position: number): string => COMPLETIONS[position % 10] ?? '';
export const tokens = (position: number): number => 22 + ((position * 7) % 41);

export function cell(position: number, column: string): string {
  if (column === 'prompt') return prompt(position);
  if (column === 'completion') return completion(position);
  if (column === 'system') return 'You answer for Northwind Bank. Be brief and kind.';
  if (column === 'turns') return '3';
  if (column === 'characters') return String(prompt(position).length + completion(position).length);
  return column === 'id' ? `ticket-${20_000 + position}` : '';
}

export function row(position: number, columns: readonly string[] = ['prompt', 'completion']): Row {
  const kind = position % 10;
  return {
    position,
    cells: columns.map((column) => cell(position, column)),
    tokens: tokens(position),
    split: kind === 3 ? 'validation' : kind === 7 ? 'holdOut' : 'training',
    worst: kind === 4 ? 'error' : position % 100 === 8 ? 'warning' : null,
    findings: kind === 4 ? 2 : position % 100 === 8 ? 1 : 0,
    edited: position % 50 === 5,
  };
}

export function rowWindow(
  total: number,
  offset: number,
  count: number,
  positionOf = (place: number) => place,
): RowWindow {
  const many = Math.max(0, Math.min(count, total - offset));
  return {
    total,
    records: total,
    coverage: done,
    offset,
    rows: Array.from({ length: many }, (_, index) => row(positionOf(offset + index))),
    tokenSource: estimate,
    problem: null,
  };
}

export const say = (role: string, text: string): Turn => ({
  role,
  content: [{ kind: 'text', text, label: null }],
});

export function findingsOf(turns: readonly Turn[], position: number | null): Finding[] {
  return turns.flatMap((turn, at) =>
    turn.content.flatMap((block, place) => {
      const start = block.text.indexOf('User:');
      if (start < 0) return [];
      const found: Finding = {
        rule: 'reserved-word',
        severity: 'error',
        position,
        field: turn.role === 'assistant' ? 'completion' : turn.role,
        message: 'Reserved word “User:”',
        hint: 'Nova fails the whole job when this stands in a record. It looks like a label left over from a transcript.',
        marks: [{ turn: at, block: place, start, end: start + 5 }],
        fix: 'Remove the word',
        others: [],
      };
      return [found];
    }),
  );
}

const conflict = (position: number): Finding => ({
  rule: 'conflicting-completion',
  severity: 'warning',
  position,
  field: 'prompt',
  message: 'Record 5 answers the same prompt in another way.',
  hint: 'Keep the one that is right.',
  marks: [],
  fix: null,
  others: [4],
});

export function content(turns: readonly Turn[], position: number | null = null): RecordContent {
  const text = turns.flatMap((turn) => turn.content.map((block) => block.text)).join('');
  const total = Math.ceil(text.length / 6);
  const line = {
    schemaVersion: 'bedrock-conversation-2024',
    ...(turns[0]?.role === 'system' ? { system: [{ text: turns[0].content[0]?.text ?? '' }] } : {}),
    messages: turns
      .filter((turn) => turn.role !== 'system')
      .map((turn) => ({ role: turn.role, content: turn.content.map((block) => ({ text: block.text })) })),
  };
  return {
    turns: turns.map((turn) => ({ ...turn })),
    json: JSON.stringify(line),
    problem: null,
    asModel: turns
      .map((turn) => `[${turn.role}]\n${turn.content.map((block) => block.text).join('\n')}`)
      .join('\n\n'),
    tokens: {
      total,
      prompt: Math.ceil(total / 3),
      completion: total - Math.ceil(total / 3),
      source: estimate,
    },
    findings: findingsOf(turns, position),
  };
}

/** A record of more than 32,000 tokens, to see how long texts are edited. */
export const LONG_RECORD = 998;

export function turnsOf(position: number): Turn[] {
  const turns = [
    say('system', 'You answer for Northwind Bank. Be brief and kind.'),
    say('user', prompt(position)),
    say('assistant', completion(position)),
  ];
  if (position % 10 === 4)
    turns[1]?.content.push({
      kind: 'image',
      text: '{"image":{"format":"png","source":{"s3Location":{"uri":"s3://tickets/48211.png"}}}}',
      label: 'PNG, s3://tickets/48211.png',
    });
  if (position === LONG_RECORD) {
    const lines = Array.from(
      { length: 3200 },
      (_, line) => `${completion(line)} Line ${line} of a long answer.`,
    );
    lines[1600] = 'User: this label stands in the middle of it.';
    turns[2] = say('assistant', lines.join('\n'));
  }
  return turns;
}

export function record(position: number, turns: Turn[] = turnsOf(position)): RecordDetail {
  const known = content(turns, position);
  const findings = position % 10 === 4 ? [...known.findings, conflict(position)] : known.findings;
  return {
    position,
    split: row(position).split,
    line: position + 1,
    edited: false,
    content: { ...known, findings },
  };
}

export function report(over: Partial<FindingsReport> = {}): FindingsReport {
  return {
    errors: 3,
    warnings: 127,
    notes: 12,
    coverage: done,
    near: null,
    rules: [
      {
        rule: 'reserved-word',
        severity: 'error',
        title: 'Reserved words',
        about: 'Labels such as “User:” in a text make Nova take it for a turn, and the job fails.',
        source: 'Nova user guide, preparing data',
        findings: 3,
        fix: 'Remove the word',
      },
      {
        rule: 'exact-duplicate',
        severity: 'warning',
        title: 'The same record twice',
        about: 'What stands there twice is learned twice as hard.',
        source: 'Quality',
        findings: 84,
        fix: 'Delete the later one',
      },
      {
        rule: 'conflicting-completion',
        severity: 'warning',
        title: 'One prompt, several answers',
        about: 'The model learns neither of them well.',
        source: 'Quality',
        findings: 31,
        fix: null,
      },
      {
        rule: 'trailing-space',
        severity: 'warning',
        title: 'White space at an end',
        about: 'The model learns to write it, too.',
        source: 'Quality',
        findings: 12,
        fix: 'Trim it',
      },
      {
        rule: 'length-outlier',
        severity: 'note',
        title: 'Much longer than the rest',
        about: 'A few long records decide how much is cut or paid for.',
        source: 'Quality',
        findings: 12,
        fix: null,
      },
    ],
    ...over,
  };
}

export function findingAt(rule: string | null, index: number): Finding {
  const position = 4 + index * 10;
  if (rule === 'reserved-word' || (rule === null && index < 3))
    return findingsOf(turnsOf(position), position)[0] ?? conflict(position);
  const title = report().rules.find((one) => one.rule === rule);
  return {
    ...conflict(position),
    ...(title ? { rule: title.rule, severity: title.severity, message: title.title } : {}),
  };
}
