import { beforeEach, describe, expect, it } from 'vitest';

import { dataset, row } from '../../../testing/fixtures';
import { install, later } from '../../../testing/install';
import type { TestHost } from '../../../testing/test-host';
import type { Finding, RecordDetail, Turn } from '../../contract';
import { toasts } from '../../state/toasts.svelte';
import { DatasetView, findingPlaces } from './dataset-view.svelte';

const turns = (prompt: string, completion: string): Turn[] => [
  { role: 'user', text: prompt },
  { role: 'assistant', text: completion },
];

const detail = (position: number, text: Turn[]): RecordDetail => ({
  position,
  turns: text,
  tokens: 9,
  split: null,
  findings: [],
});

let host: TestHost;
let view: DatasetView;

beforeEach(async () => {
  host = install({
    dataset: () => dataset({ records: 100 }),
    rows: ({ offset, count }) => ({
      total: 100,
      offset,
      rows: Array.from({ length: Math.min(count, 100 - offset) }, (_, index) => row(offset + index)),
    }),
    findings: () => ({ errors: 0, warnings: 0, findings: [] }),
    record: ({ position }) => detail(position, turns(`prompt ${position}`, `answer ${position}`)),
    edit_record: ({ position, turns }) => detail(position, turns),
    insert_record: () => dataset({ records: 101 }),
    delete_record: () => dataset({ records: 99 }),
    undo: () => dataset({ records: 100, canUndo: false, canRedo: true }),
  });
  view = new DatasetView('d-1');
  view.load();
  await view.select(3);
});

function type(index: number, text: string): void {
  const turn = view.draft[index];
  if (turn) turn.text = text;
}

describe('an edit', () => {
  it('is sent once it is applied, and then nothing is left to apply', async () => {
    type(1, 'better');
    expect(view.dirty).toBe(true);
    await view.apply();
    expect(view.dirty).toBe(false);
    expect(host.argumentsOf('edit_record')).toMatchObject([
      { position: 3, turns: turns('prompt 3', 'better') },
    ]);
  });

  it('is not sent when nothing was changed', async () => {
    await view.apply();
    expect(host.argumentsOf('edit_record')).toEqual([]);
  });

  it('is applied before another record takes its place', async () => {
    type(0, 'asked otherwise');
    await view.select(4);
    expect(host.argumentsOf('edit_record')).toMatchObject([{ position: 3 }]);
    expect(view.record?.position).toBe(4);
  });

  it('keeps what was typed while it was on its way', async () => {
    const answer = later<RecordDetail>();
    host.handlers.edit_record = () => answer.promise;
    type(1, 'bett');
    const applied = view.apply();
    type(1, 'better still');
    answer.resolve(detail(3, turns('prompt 3', 'bett')));
    await applied;
    expect(view.draft[1]?.text).toBe('better still');
    expect(view.dirty).toBe(true);
  });

  it('that is refused stays in the fields, and is said', async () => {
    host.handlers.edit_record = () =>
      Promise.reject({ code: 'storage', message: 'The disk is full.', detail: null, hint: null });
    type(1, 'better');
    await view.apply();
    expect(view.draft[1]?.text).toBe('better');
    expect(view.dirty).toBe(true);
    expect(toasts.list.at(-1)?.text).toContain('The disk is full.');
  });

  it('can be taken back before it is applied', () => {
    type(1, 'worse');
    view.revert();
    expect(view.draft).toEqual(turns('prompt 3', 'answer 3'));
  });

  it('drops a system prompt that was left empty', async () => {
    view.addSystem();
    expect(view.dirty).toBe(false);
    type(0, 'Be brief.');
    await view.apply();
    expect(host.argumentsOf('edit_record')[0]?.turns[0]).toEqual({ role: 'system', text: 'Be brief.' });
  });
});

describe('inserting and deleting', () => {
  it('inserts below the selected record and goes there', async () => {
    view.beginInsert();
    type(0, 'new');
    type(1, 'answer');
    await view.insert();
    expect(host.argumentsOf('insert_record')).toEqual([
      { dataset: 'd-1', position: 4, turns: turns('new', 'answer') },
    ]);
    expect(view.selected).toBe(4);
  });

  it('offers to take a deletion back', async () => {
    await view.remove();
    expect(host.argumentsOf('delete_record')).toEqual([{ dataset: 'd-1', position: 3 }]);
    toasts.list.at(-1)?.action?.run();
    expect(host.calls.some((call) => call.name === 'undo')).toBe(true);
  });

  it('stays inside the dataset when the last record is deleted', async () => {
    await view.select(99);
    await view.remove();
    expect(view.selected).toBe(98);
  });
});

describe('walking through findings', () => {
  const finding = (position: number | null): Finding => ({
    rule: 'r',
    severity: 'error',
    position,
    field: null,
    message: 'm',
    hint: 'h',
  });

  it('visits each record once, in order, and goes round', async () => {
    host.handlers.findings = () => ({
      errors: 4,
      warnings: 0,
      findings: [finding(40), finding(2), finding(40), finding(null), finding(7)],
    });
    await view.findings.reload();
    expect(findingPlaces(view.findings.value?.findings ?? [])).toEqual([2, 7, 40]);
    expect(view.nextFinding(1)).toBe(7);
    expect(view.nextFinding(-1)).toBe(2);
    await view.select(40);
    expect(view.nextFinding(1)).toBe(2);
  });

  it('leads nowhere when there is none', () => {
    expect(view.nextFinding(1)).toBeNull();
  });
});
