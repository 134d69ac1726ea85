/** What keys, buttons and menus alike do to records: to those chosen, else to the one that is shown. */
import type { Selection } from '../../contract';
import { count, plural } from '../../format';
import { call } from '../../platform';
import { forModel } from '../../state/preferences.svelte';
import { toasts } from '../../state/toasts.svelte';
import type { DatasetView } from './dataset-view.svelte';

/** The chosen records, else the one in the side panel; null when there is neither. */
export function subject(view: DatasetView): Selection | null {
  if (view.selection.count > 0) return view.selection.asRequest();
  const position = view.position;
  return position === null ? null : { kind: 'positions', spans: [{ start: position, end: position + 1 }] };
}

/** "Record 12", "3 records". */
export function nameOf(view: DatasetView): string {
  if (view.selection.count > 0) return plural(view.selection.count, 'record');
  return view.position === null ? 'No record' : `Record ${count(view.position + 1)}`;
}

export async function deleteRecords(view: DatasetView): Promise<void> {
  const selection = subject(view);
  if (!selection) return;
  await view.edit('deleting', `${nameOf(view)} was not deleted`, () =>
    call('delete_records', { dataset: view.id, selection }),
  );
}

export async function duplicateRecords(view: DatasetView): Promise<void> {
  const selection = subject(view);
  if (!selection) return;
  await view.edit('duplicating', `${nameOf(view)} was not duplicated`, () =>
    call('duplicate_records', { dataset: view.id, selection }),
  );
}

/** One place up or down in the dataset's own order. */
export async function moveRecords(view: DatasetView, step: -1 | 1): Promise<void> {
  const selection = subject(view);
  const spans = selection?.kind === 'positions' ? selection.spans : [];
  const first = spans[0]?.start;
  const last = spans.at(-1)?.end;
  if (!selection || first === undefined || last === undefined) return;
  if (!view.plain) {
    toasts.show(
      'note',
      'Records are moved in the dataset’s own order',
      'Clear the filter and the order first.',
    );
    return;
  }
  const before = step === -1 ? first - 1 : last + 1;
  if (before < 0 || before > view.records) return;
  await view.edit(
    'moving',
    `${nameOf(view)} was not moved`,
    () => call('move_records', { dataset: view.id, selection, before }),
    () => undefined,
  );
}

/** Fixes a rule in some records, or in all of them; every rule that has a fix when none is named. */
export async function fix(
  view: DatasetView,
  rule: string | null,
  selection: Selection | null,
): Promise<void> {
  await view.edit('fixing', 'Nothing was fixed', () =>
    call('fix_findings', { dataset: view.id, baseModel: forModel.id, rule, selection }),
  );
}

/** What is wrong with the shown record and can be fixed: the first such finding, in the text as it stands. */
export async function fixHere(view: DatasetView, rule?: string): Promise<void> {
  const wanted = rule ?? view.draft.content?.findings.find((one) => one.fix !== null)?.rule;
  if (wanted === undefined) {
    toasts.show('note', 'Nothing here has a fix', 'What is wrong in this record needs a person’s decision.');
    return;
  }
  if (view.draft.dirty || view.draft.inserting !== null) {
    await view.draft.fix(wanted);
    return;
  }
  const position = view.position;
  if (position === null) return;
  await fix(view, wanted, { kind: 'positions', spans: [{ start: position, end: position + 1 }] });
}
