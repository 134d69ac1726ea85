import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { dataset, say } from '../../../testing/dataset-fixtures';
import { install, later } from '../../../testing/install';
import type { AppError, FilePreview, ImportOutcome, Reading } from '../../contract';
import { importFlow } from '../../state/import-flow.svelte';
import { router } from '../../state/router.svelte';
import ImportPage from './ImportPage.svelte';

const file = { token: 't-1', name: 'train.csv', bytes: 839_073, attachesAs: null };
const ROWS = [
  ['Where is my card?', 'card_arrival', 'n1'],
  ['What is the rate?', 'exchange_rate', 'n2'],
];
const COLUMNS = ['text', 'category', 'note'];
const detected: Reading = {
  format: 'csv',
  schema: null,
  encoding: 'utf-8',
  delimiter: ',',
  header: true,
  sheet: null,
  mapping: { prompt: 'text', completion: 'category', system: null },
  template: null,
};

function preview(reading: Reading): FilePreview {
  const at = (row: string[], column: string | undefined) => row[COLUMNS.indexOf(column ?? '')] ?? '';
  return {
    file,
    format: 'CSV, comma',
    reading,
    formats: [{ id: 'csv', label: 'CSV', note: null }],
    schemas: [],
    encodings: [],
    sheets: [],
    inPlace: false,
    inPlaceObstacle: 'A CSV file is converted.',
    columns: COLUMNS,
    sample: ROWS,
    records: ROWS.map((row, index) => ({
      line: index + 2,
      turns: reading.template
        ? [say('user', reading.template.prompt.replace('{{text}}', row[0] ?? ''))]
        : [
            say('user', at(row, reading.mapping?.prompt)),
            say('assistant', at(row, reading.mapping?.completion)),
          ],
      problem: null,
    })),
    problem: null,
    notes: ['The encoding was taken to be UTF-8.'],
  };
}
const broken: ImportOutcome = {
  dataset: null,
  problems: [
    {
      line: 9999,
      column: 61,
      message: 'A string is not closed.',
      hint: 'Add the missing quote.',
      excerpt: '{"prompt": "Wh',
    },
  ],
  problemCount: 1,
  readableRecords: 10_002,
};

async function open(outcomes: (ImportOutcome | AppError)[]) {
  const host = install({
    preview_file: ({ reading }) => preview(reading ?? detected),
    datasets: () => [],
    import_dataset: () => {
      const next = outcomes.shift();
      if (!next) throw new Error('asked once too often');
      if ('code' in next) return Promise.reject(next);
      return next;
    },
  });
  router.go('#/datasets/import');
  await importFlow.open(file);
  render(ImportPage, { props: { onopen: () => Promise.resolve() } });
  return host;
}

beforeEach(() => importFlow.close());

describe('the import of a file', () => {
  it('shows the records as they would become, and follows a change of columns', async () => {
    await open([]);
    expect(screen.getByTestId('mapping-preview').textContent).toContain('card_arrival');
    await userEvent.selectOptions(screen.getByTestId('mapping-completion'), 'note');
    await waitFor(() => expect(screen.getByTestId('mapping-preview').textContent).toContain('n2'));
    expect(screen.getByTestId('mapping-preview').textContent).not.toContain('card_arrival');
  });

  it('does not begin while prompt and completion are the same column', async () => {
    const host = await open([]);
    await userEvent.selectOptions(screen.getByTestId('mapping-completion'), 'text');
    expect(screen.getByTestId('import-obstacle').textContent).toContain('same column');
    expect(screen.getByTestId<HTMLButtonElement>('import-confirm').disabled).toBe(true);
    expect(host.argumentsOf('import_dataset')).toEqual([]);
  });

  it('sends the mapping, and leads to the dataset', async () => {
    const imported = dataset({ id: 'd-new', name: 'train' });
    const host = await open([{ dataset: imported, problems: [], problemCount: 0, readableRecords: 10_003 }]);
    await userEvent.selectOptions(screen.getByTestId('mapping-system'), 'note');
    await userEvent.click(screen.getByTestId('import-confirm'));
    await waitFor(() => expect(router.route.rest).toBe('d-new'));
    expect(host.argumentsOf('import_dataset')).toEqual([
      {
        token: 't-1',
        name: 'train',
        reading: { ...detected, mapping: { prompt: 'text', completion: 'category', system: 'note' } },
        inPlace: false,
        skipBroken: false,
      },
    ]);
  });
});

describe('a template', () => {
  it('begins as the columns that were chosen, and shows the records it makes', async () => {
    const host = await open([]);
    await userEvent.click(screen.getByTestId('import-way-template'));
    const prompt = await screen.findByTestId<HTMLTextAreaElement>('template-prompt');
    await waitFor(() => expect(prompt.value).toBe('{{text}}'));
    await userEvent.type(prompt, ' Answer:');
    await waitFor(() =>
      expect(screen.getByTestId('mapping-preview').textContent).toContain('Where is my card? Answer:'),
    );
    expect(host.argumentsOf('preview_file').at(-1)?.reading?.template?.prompt).toBe('{{text}} Answer:');
  });
});

describe('a file that can be edited where it lies', () => {
  it('is opened in place unless the person wants a copy', async () => {
    const inPlace = { ...preview(detected), inPlace: true, inPlaceObstacle: null };
    const made = { dataset: dataset(), problems: [], problemCount: 0, readableRecords: 1 };
    const host = await open([made]);
    host.handlers.preview_file = () => inPlace;
    await importFlow.open(file);
    const choice = screen.getByTestId<HTMLInputElement>('import-in-place');
    await waitFor(() => expect(choice.checked).toBe(true));
    await userEvent.click(choice);
    expect(importFlow.inPlace).toBe(false);
    await userEvent.click(choice);
    await userEvent.click(screen.getByTestId('import-confirm'));
    await waitFor(() => expect(host.argumentsOf('import_dataset')).toMatchObject([{ inPlace: true }]));
  });
});

describe('lines that cannot be read', () => {
  it('are named with their place, and imported around when the person says so', async () => {
    const host = await open([
      broken,
      { dataset: dataset({ id: 'd-rest' }), problems: [], problemCount: 0, readableRecords: 10_002 },
    ]);
    await userEvent.click(screen.getByTestId('import-confirm'));

    const line = await screen.findByTestId('broken-line');
    expect(line.textContent).toContain('line 9,999, column 61');
    expect(line.textContent).toContain('A string is not closed.');
    expect(line.textContent).toContain('Add the missing quote.');
    expect(line.textContent).toContain('{"prompt": "Wh');

    const skip = screen.getByTestId('import-skip');
    expect(skip.textContent?.replace(/\s+/g, ' ').trim()).toBe(
      'Leave this line out and import the other 10,002',
    );
    await userEvent.click(skip);
    await waitFor(() => expect(router.route.rest).toBe('d-rest'));
    expect(host.argumentsOf('import_dataset').map((one) => one.skipBroken)).toEqual([false, true]);
  });

  it('can be left for the columns, which stand as they were chosen', async () => {
    await open([broken]);
    await userEvent.selectOptions(screen.getByTestId('mapping-completion'), 'note');
    await userEvent.click(screen.getByTestId('import-confirm'));
    await userEvent.click(await screen.findByText('Back to the preview'));
    expect(screen.getByTestId<HTMLSelectElement>('mapping-completion').value).toBe('note');
  });

  it('offer no import where nothing else is left to import', async () => {
    await open([{ ...broken, readableRecords: 0 }]);
    await userEvent.click(screen.getByTestId('import-confirm'));
    await screen.findByTestId('import-broken');
    expect(screen.queryByTestId('import-skip')).toBeNull();
  });
});

describe('an import that does not end well', () => {
  it('says why, and keeps the file and its columns', async () => {
    await open([{ code: 'storage', message: 'The disk is full.', detail: null, hint: 'Free some space.' }]);
    await userEvent.click(screen.getByTestId('import-confirm'));
    expect((await screen.findByTestId('import-error')).textContent).toContain('The disk is full.');
    expect(screen.getByTestId<HTMLButtonElement>('import-confirm').disabled).toBe(false);
  });

  it('is no error when the person cancelled it', async () => {
    await open([{ code: 'cancelled', message: 'Cancelled.', detail: null, hint: null }]);
    await userEvent.click(screen.getByTestId('import-confirm'));
    expect(await screen.findByTestId('import-confirm')).toBeTruthy();
    expect(screen.queryByTestId('import-error')).toBeNull();
  });

  it('shows how far the reading is', async () => {
    const answer = later<ImportOutcome>();
    const host = await open([]);
    host.handlers.import_dataset = () => answer.promise;
    await userEvent.click(screen.getByTestId('import-confirm'));
    importFlow.follow({
      id: 'a-1',
      title: 'Import',
      phase: '5,000 records',
      fraction: 0.5,
      secondsLeft: 4,
      state: 'running',
      error: null,
      cancellable: true,
    });
    await waitFor(() =>
      expect(screen.getByTestId('import-progress').textContent).toContain('5,000 records · 50%'),
    );
    expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('50');
    answer.resolve(broken);
    await screen.findByTestId('import-broken');
  });
});
