import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { dataset } from '../../../testing/dataset-fixtures';
import { sceneHost } from '../../../testing/scenes';
import type { TestHost } from '../../../testing/test-host';
import { installHost } from '../../platform';
import { app } from '../../state/app.svelte';
import { pageCommands } from '../../state/page-commands.svelte';
import { router } from '../../state/router.svelte';
import DatasetPage from './DatasetPage.svelte';

async function open(id: string): Promise<TestHost> {
  const host = sceneHost('busy', 'light');
  installHost(host);
  await app.load();
  router.go(`#/datasets/${id}?record=5`);
  render(DatasetPage, { props: { id } });
  await screen.findByTestId('turn-1');
  return host;
}

beforeEach(() => window.localStorage.clear());

describe('the page of a dataset', () => {
  it('says how many records there are, and that edits are not saved', async () => {
    const host = await open('d-million');
    expect(screen.getByTestId('record-count').textContent).toBe('1,004,312 records');
    expect(screen.getByTestId('unsaved')).toBeTruthy();
    await userEvent.click(screen.getByTestId('save'));
    expect(host.argumentsOf('save_dataset')).toEqual([{ dataset: 'd-million', replaceChanged: false }]);
    await waitFor(() => expect(screen.queryByTestId('unsaved')).toBeNull());
  });

  it('says "at least" while the file is still being read, and lets the reading be stopped', async () => {
    const host = await open('d-indexing');
    expect(screen.getByTestId('record-count').textContent).toContain('at least 2,310,400');
    expect((await screen.findByTestId('coverage')).textContent).toContain('41%');
    expect(screen.getByTestId<HTMLTextAreaElement>('turn-1').readOnly).toBe(true);
    expect(screen.getByTestId('not-yet')).toBeTruthy();
    const rows = host.argumentsOf('rows').length;
    host.emit({ event: 'datasetProgress', dataset: 'd-indexing', part: 'index' });
    await waitFor(() => expect(host.argumentsOf('rows').length).toBeGreaterThan(rows));
    await userEvent.click(screen.getByText('Stop'));
    expect(host.argumentsOf('cancel_activity')).toEqual([{ activity: 'a-1' }]);
  });

  it('says that the file changed beneath, and takes the choice', async () => {
    const host = await open('d-changed');
    const banner = await screen.findByTestId('file-banner');
    expect(banner.textContent).toContain('Another program changed');
    await userEvent.click(screen.getByTestId('file-keep'));
    expect(host.argumentsOf('choose_file')).toEqual([{ dataset: 'd-changed', choice: 'keep' }]);
    await waitFor(() => expect(screen.queryByTestId('file-banner')).toBeNull());
  });

  it('offers what it can do in the palette, and withdraws it', async () => {
    await open('d-million');
    expect(pageCommands.list.map((one) => one.label)).toContain('Find and replace');
  });
});

describe('the findings of a dataset', () => {
  it('are counted by rule, and those of a rule are fixed at once', async () => {
    const host = await open('d-million');
    await userEvent.click(screen.getByTestId('finding-badges'));
    const rules = await screen.findAllByTestId('rule-row');
    expect(rules[0]?.textContent).toContain('Reserved words');
    await userEvent.click(rules[0] as HTMLElement);
    await userEvent.click(screen.getByTestId('fix-all'));
    expect(host.argumentsOf('fix_findings')).toMatchObject([{ rule: 'reserved-word', selection: null }]);
  });
});

describe('near duplicates', () => {
  it('are looked for when one asks, and the look can be cancelled', async () => {
    const host = await open('d-million');
    await userEvent.click(screen.getByTestId('finding-badges'));
    await userEvent.click(await screen.findByTestId('near-find'));
    await waitFor(() => expect(screen.getByTestId('near-duplicates').dataset['state']).toBe('looking'));
    await userEvent.click(screen.getByTestId('near-stop'));
    expect(host.argumentsOf('cancel_activity')).toEqual([{ activity: 'a-1' }]);
  });
});

describe('the keyboard on the page', () => {
  it('opens find and replace, and closes it again', async () => {
    const host = await open('d-million');
    await userEvent.keyboard('{Control>}h{/Control}');
    expect(document.activeElement).toBe(await screen.findByTestId('find-text'));
    await userEvent.keyboard('card');
    await waitFor(() => expect(screen.getByTestId('find-tally').textContent).toContain('3,204 hits'));
    await userEvent.type(screen.getByTestId('replace-text'), 'letter');
    await userEvent.click(screen.getByTestId('replace-all'));
    expect(host.argumentsOf('replace')).toMatchObject([
      { replacement: 'letter', only: null, selection: { kind: 'view' }, query: { text: 'card' } },
    ]);
    screen.getByTestId('find-text').focus();
    await userEvent.keyboard('{Escape}');
    expect(screen.queryByTestId('find-bar')).toBeNull();
  });

  it('fixes what the record has with F in the table, not in a text', async () => {
    const host = await open('d-million');
    const text = screen.getByTestId('turn-1');
    text.focus();
    await userEvent.keyboard('f');
    expect(host.argumentsOf('fix_findings')).toEqual([]);
    await userEvent.keyboard('{Escape}');
    screen.getByTestId('record-table').focus();
    await userEvent.keyboard('f');
    await waitFor(() => expect(host.argumentsOf('fix_findings')).toMatchObject([{ rule: 'reserved-word' }]));
  });

  it('leads through the filter and its completions', async () => {
    const host = await open('d-million');
    await userEvent.keyboard('{Control>}l{/Control}');
    const field = screen.getByTestId<HTMLInputElement>('filter');
    expect(document.activeElement).toBe(field);
    await userEvent.keyboard('find');
    await screen.findByTestId('filter-list');
    await userEvent.keyboard('{ArrowDown}{Enter}');
    await waitFor(() => expect(field.value).toBe('finding:reserved-word'));
    await userEvent.keyboard('{Escape}{Enter}');
    await waitFor(() => expect(screen.getByTestId('row-count').textContent).toContain('of 1,004,312 match'));
    expect(host.argumentsOf('rows').at(-1)?.view.filter).toBe('finding:reserved-word');
  });

  it('does not apply a filter that is wrong, and says why', async () => {
    const host = await open('d-million');
    await userEvent.type(screen.getByTestId('filter'), 'tokens>x');
    expect((await screen.findByTestId('filter-problem')).textContent).toContain('A number has to follow');
    await userEvent.keyboard('{Enter}');
    expect(host.argumentsOf('rows').every((asked) => asked.view.filter === '')).toBe(true);
  });
});

describe('the columns', () => {
  it('are chosen in a menu, and remembered', async () => {
    const host = await open('d-million');
    await userEvent.click(screen.getByTestId('columns'));
    await userEvent.click(await screen.findByTestId('columns-system'));
    await waitFor(() =>
      expect(host.argumentsOf('rows').at(-1)?.columns).toEqual(['prompt', 'completion', 'system']),
    );
    expect(window.localStorage.getItem('whetstone.columns.d-million')).toBe('prompt\ncompletion\nsystem');
  });
});

describe('a split', () => {
  it('grouped by a key is shown before it is made', async () => {
    const host = await open('d-million');
    await userEvent.click(screen.getByTestId('split-open'));
    await userEvent.click(await screen.findByTestId('split-way-grouped'));
    expect((await screen.findByTestId('split-parts')).textContent).toContain('card_arrival');
    await userEvent.click(screen.getByTestId('split-apply'));
    expect(host.argumentsOf('split_dataset')).toMatchObject([
      { method: { kind: 'grouped', key: 'completion', validationPercent: 10, holdOutPercent: 10 }, seed: 1 },
    ]);
  });

  it('that a job used is made anew only after the consequence was read', async () => {
    const split = { ...dataset().split, frozenBy: 'support-answers-03' };
    const host = sceneHost('busy', 'light');
    const summary = dataset({ split: split as NonNullable<ReturnType<typeof dataset>['split']> });
    host.handlers.dataset = () => summary;
    installHost(host);
    render(DatasetPage, { props: { id: 'd-banking' } });
    await userEvent.click(await screen.findByTestId('split-open'));
    const apply = await screen.findByTestId<HTMLButtonElement>('split-apply');
    expect(apply.disabled).toBe(true);
    await userEvent.click(screen.getByTestId('split-frozen-accept'));
    await userEvent.click(apply);
    expect(host.argumentsOf('split_dataset')).toMatchObject([{ replaceFrozen: true }]);
  });
});

describe('a conversion', () => {
  it('says what would be lost before anything is written', async () => {
    const host = await open('d-million');
    await userEvent.click(screen.getByTestId('dataset-menu'));
    await userEvent.click(await screen.findByTestId('dataset-menu-convert'));
    await waitFor(() => expect(screen.getByTestId('loss-report').textContent).toContain('Everything of'));
    await userEvent.selectOptions(screen.getByTestId('convert-schema'), 'pairs');
    const losses = await screen.findAllByTestId('loss');
    expect(losses.map((loss) => loss.textContent)).toEqual([
      expect.stringContaining('Pictures'),
      expect.stringContaining('left out'),
    ]);
    expect(host.argumentsOf('convert_dataset')).toEqual([]);
    await userEvent.click(screen.getByTestId('convert-run'));
    expect(host.argumentsOf('convert_dataset')).toMatchObject([{ schema: 'pairs', format: 'jsonl' }]);
  });
});

describe('snapshots', () => {
  it('are compared record by record, and restored as an edit', async () => {
    const host = await open('d-million');
    await userEvent.click(screen.getByTestId('page-tab-snapshots'));
    await userEvent.click((await screen.findAllByTestId('snapshot-row'))[0] as HTMLElement);
    const entries = await screen.findAllByTestId('diff-entry');
    expect(entries.map((entry) => entry.dataset['kind'])).toEqual(['changed', 'removed', 'added']);
    await userEvent.click(screen.getByTestId('snapshot-restore'));
    expect(host.argumentsOf('restore_snapshot')).toEqual([{ dataset: 'd-million', snapshot: 's-2' }]);
  });
});
