import { beforeEach, describe, expect, it, vi } from 'vitest';

import { datasetAnswers } from '../../../testing/dataset-answers';
import { change, content, dataset, record, say } from '../../../testing/dataset-fixtures';
import { install, later } from '../../../testing/install';
import type { TestHost } from '../../../testing/test-host';
import type { RecordChange, Turn } from '../../contract';
import { toasts } from '../../state/toasts.svelte';
import { DatasetView } from './dataset-view.svelte';
import { deleteRecords, fixHere, moveRecords, subject } from './record-actions';

const hundred = dataset({ id: 'd-1', records: 100, undo: null });
const turns = (prompt: string, completion: string): Turn[] => [
  say('user', prompt),
  say('assistant', completion),
];

let host: TestHost;
let view: DatasetView;

beforeEach(async () => {
  window.localStorage.clear();
  host = install({
    ...datasetAnswers([hundred]),
    record: ({ position }) => record(position, turns(`prompt ${position}`, 'answer')),
    check_record: ({ body }) => content(body.kind === 'turns' ? body.turns : []),
    edit_record: ({ position, body }) => ({
      change: change({ summary: { ...hundred, undo: 'Edit' }, position }),
      record: record(position, body.kind === 'turns' ? body.turns : []),
    }),
    insert_records: ({ position }) =>
      change({ summary: { ...hundred, records: 101, undo: 'Insert' }, position, moved: true }),
    delete_records: ({ selection }) => {
      const at = selection.kind === 'positions' ? (selection.spans[0]?.start ?? 0) : 0;
      const summary = { ...hundred, records: 99, undo: 'Delete record' };
      return change({ label: 'Delete record', summary, position: Math.min(at, 98), moved: true });
    },
    undo: () => change({ summary: { ...hundred, redo: 'Edit' }, position: 7, moved: true }),
  });
  view = new DatasetView('d-1');
  view.load();
  await vi.waitFor(() => expect(view.rows.total).toBe(100));
  await view.select(3);
});

function type(turn: number, text: string): void {
  const block = view.draft.turns[turn]?.content[0];
  if (block) block.text = text;
  view.draft.typed();
}
const shown = (turn: number) => view.draft.turns[turn]?.content[0]?.text;

describe('an edit', () => {
  it('is sent once it is applied, and then nothing is left to apply', async () => {
    type(1, 'better');
    expect(view.draft.dirty).toBe(true);
    await view.apply();
    expect(view.draft.dirty).toBe(false);
    expect(host.argumentsOf('edit_record')).toMatchObject([
      { position: 3, body: { kind: 'turns', turns: turns('prompt 3', 'better') } },
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
    expect(view.draft.detail?.position).toBe(4);
  });

  it('leaves alone what was typed while it was on its way', async () => {
    const answer = later<RecordChange>();
    host.handlers.edit_record = () => answer.promise;
    type(1, 'better');
    const applied = view.apply();
    type(1, 'better still');
    answer.resolve({ change: change({ summary: hundred }), record: record(3, turns('prompt 3', 'better')) });
    await applied;
    expect(shown(1)).toBe('better still');
    expect(view.draft.dirty).toBe(true);
  });

  it('that is refused stays in the fields, and is said', async () => {
    host.handlers.edit_record = () =>
      Promise.reject({ code: 'storage', message: 'The disk is full.', detail: null, hint: null });
    type(1, 'better');
    await view.apply();
    expect(shown(1)).toBe('better');
    expect(view.draft.dirty).toBe(true);
    expect(toasts.list.at(-1)?.text).toContain('The disk is full.');
  });
});

describe('inserting and deleting', () => {
  it('inserts below the selected record and goes there', async () => {
    view.beginInsert();
    type(0, 'new');
    type(1, 'answer');
    await view.insert();
    expect(host.argumentsOf('insert_records')).toMatchObject([
      { position: 4, records: [{ kind: 'turns', turns: turns('new', 'answer') }] },
    ]);
    expect(view.selected).toBe(4);
  });

  it('deletes what is selected, and offers to take it back', async () => {
    view.selection.toggle(10, 10);
    view.selection.toggle(12, 12);
    await deleteRecords(view);
    expect(host.argumentsOf('delete_records')[0]?.selection).toEqual({
      kind: 'positions',
      spans: [
        { start: 10, end: 11 },
        { start: 12, end: 13 },
      ],
    });
    // Positions are others now, so nothing is left selected.
    expect(view.selection.count).toBe(0);
    toasts.list.at(-1)?.action?.run();
    await vi.waitFor(() => expect(host.argumentsOf('undo')).toHaveLength(1));
  });

  it('is for the record on the screen when none is selected', () => {
    expect(subject(view)).toEqual({ kind: 'positions', spans: [{ start: 3, end: 4 }] });
  });

  it('stays inside the dataset when the last record is deleted', async () => {
    await view.select(99);
    await deleteRecords(view);
    expect(view.selected).toBe(98);
  });
});

describe('a filter', () => {
  it('keeps the record on the screen, and finds its row', async () => {
    await view.select(14);
    view.filter.set('finding:any');
    expect(view.position).toBe(14);
    await vi.waitFor(() => expect(view.selected).toBe(1));
    await vi.waitFor(() => expect(view.total).toBe(10));
  });

  it('finds the row once a long evaluation is done', async () => {
    await view.select(14);
    host.handlers.locate = () => ({ offset: null });
    view.filter.set('finding:any');
    await vi.waitFor(() => expect(host.argumentsOf('locate')).toHaveLength(1));
    expect(view.selected).toBeNull();
    host.handlers.locate = () => ({ offset: 1 });
    view.progressed('view');
    await vi.waitFor(() => expect(view.selected).toBe(1));
  });

  it('shows the record that a row is, though the row is not loaded', async () => {
    view.filter.set('finding:any');
    await view.select(6);
    expect(view.position).toBe(64);
  });

  it('is held by moves in the dataset’s own order', async () => {
    view.filter.set('finding:any');
    await moveRecords(view, 1);
    expect(host.argumentsOf('move_records')).toEqual([]);
    expect(toasts.list.at(-1)?.title).toContain('own order');
  });

  it('is never applied while it is wrong', async () => {
    view.filter.text = 'tokens>x';
    await view.filter.ask(8);
    expect(view.filter.problem).toMatchObject({ start: 7, end: 8 });
  });

  it('takes a completion at the cursor', async () => {
    view.filter.text = 'split:training fin';
    await view.filter.ask(18);
    view.filter.move(1);
    expect(view.filter.take(view.filter.at)).toBe(36);
    expect(view.filter.text).toBe('split:training finding:reserved-word');
  });
});

describe('undo', () => {
  it('leads to what it took back', async () => {
    type(1, 'better');
    await view.apply();
    await view.undo();
    expect(view.position).toBe(7);
    expect(view.selected).toBe(7);
  });
});

describe('findings', () => {
  it('are walked through within the view', async () => {
    expect(await view.goToFinding('forward')).toBe(true);
    expect(view.position).toBe(4);
    expect(host.argumentsOf('next_finding')[0]).toMatchObject({ from: 3, direction: 'forward', rule: null });
    host.handlers.next_finding = () => ({ position: null, offset: null });
    expect(await view.goToFinding('forward')).toBe(false);
    expect(view.position).toBe(4);
  });

  it('are fixed in the text that is being typed, else in the dataset', async () => {
    const wrong = turns('prompt', 'Well. User: said so.');
    host.handlers.record = ({ position }) => record(position, wrong);
    await view.select(4);
    await fixHere(view);
    expect(host.argumentsOf('fix_findings')).toMatchObject([
      { rule: 'reserved-word', selection: { kind: 'positions', spans: [{ start: 4, end: 5 }] } },
    ]);
    type(0, 'changed');
    await fixHere(view, 'reserved-word');
    expect(host.argumentsOf('fix_draft')).toHaveLength(1);
    expect(host.argumentsOf('fix_findings')).toHaveLength(1);
  });
});

describe('finding a text', () => {
  it('goes from hit to hit and round at the end', async () => {
    view.find.show(false);
    view.find.text = 'card';
    view.find.search();
    await vi.waitFor(() => expect(view.find.hits).toBe(3204));
    await view.find.step(1, null);
    expect(view.find.at).toBe(0);
    await view.find.step(-1, null);
    expect(view.find.at).toBe(3203);
    await view.find.step(1, null);
    expect(view.find.at).toBe(0);
  });

  it('says what is wrong with an expression', async () => {
    view.find.show(false);
    view.find.regex = true;
    view.find.text = '(';
    view.find.search();
    await vi.waitFor(() => expect(view.find.problem?.message).toBe('A group is not closed.'));
  });
});
