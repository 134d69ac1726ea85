/**
 * One opened dataset: which of it is looked at, where the person is in it, and what they do to it.
 *
 * Places count the rows of the view, positions the records of the dataset. They are the same while nothing is filtered.
 */
import type { Change, DatasetPart, DatasetSummary, Direction, FileChoice, Row, View } from '../../contract';
import { count, plural } from '../../format';
import { call, toAppError } from '../../platform';
import { forModel } from '../../state/preferences.svelte';
import { Resource } from '../../state/resource.svelte';
import { toasts } from '../../state/toasts.svelte';
import { FilterField } from './filter-field.svelte';
import { FindState } from './find-state.svelte';
import { FindingPages } from './finding-pages.svelte';
import { RecordDraft } from './record-draft.svelte';
import { RowPages } from './row-pages.svelte';
import { RecordSelection } from './selection.svelte';
import { TableColumns } from './table-columns.svelte';

export class DatasetView {
  readonly id: string;
  readonly summary: Resource<DatasetSummary>;
  readonly rows: RowPages;
  readonly columns: TableColumns;
  readonly filter: FilterField;
  readonly findings: FindingPages;
  readonly find: FindState;
  readonly selection: RecordSelection;
  readonly draft: RecordDraft;
  /** Place of the row that the keys move; null when the record is not in the view, or there is none. */
  #selected = $state<number | null>(null);
  /** Position of the record in the side panel. */
  #position = $state<number | null>(null);
  #busy = $state<string | null>(null);
  #turn = 0;
  /** Goes up with every change of the records, so that what shows them can ask again. */
  #version = $state(0);

  constructor(id: string) {
    this.id = id;
    const question = { dataset: id, baseModel: () => forModel.id };
    this.summary = new Resource(() => call('dataset', { dataset: id }));
    this.columns = new TableColumns(id);
    this.filter = new FilterField(question, () => this.#viewChanged());
    this.rows = new RowPages(() => ({ view: this.view, columns: this.columns.shown }));
    this.findings = new FindingPages(question);
    this.find = new FindState(() => this.view);
    this.selection = new RecordSelection(() => this.view);
    this.draft = new RecordDraft(question);
  }

  get view(): View {
    return { dataset: this.id, baseModel: forModel.id, filter: this.filter.applied, sort: this.columns.sort };
  }
  get selected(): number | null {
    return this.#selected;
  }
  get position(): number | null {
    return this.#position;
  }
  /** What is being done to the records right now, in words. */
  get busy(): string | null {
    return this.#busy;
  }
  get version(): number {
    return this.#version;
  }
  /** Rows in the view. */
  get total(): number {
    return this.rows.total ?? (this.plain ? (this.summary.value?.records ?? 0) : 0);
  }
  get records(): number {
    return this.rows.records ?? this.summary.value?.records ?? 0;
  }
  /** Every record in the dataset's own order. */
  get plain(): boolean {
    return this.filter.applied === '' && this.columns.sort === null;
  }

  /** Everything from the start. */
  load(): void {
    void this.summary.reload();
    void this.columns.choices.reload().then(() => this.rows.refresh());
    this.findings.refresh();
    this.rows.refresh();
  }

  /** The dataset changed outside of this page. What is being typed stays. */
  refresh(): void {
    void this.summary.reload();
    this.rows.refresh();
  }

  /** Something computed in the background has seen more. */
  progressed(part: DatasetPart): void {
    if (part === 'index') this.refresh();
    else if (part === 'view') {
      this.rows.refresh();
      if (this.#selected === null) this.#findRow();
    } else if (part === 'find') this.find.grown();
    else if (part === 'findings') {
      this.findings.refresh();
      this.rows.refresh();
    }
  }

  modelChanged(): void {
    this.findings.refresh();
    this.rows.refresh();
    this.draft.recheck();
  }

  /** Shows the record in this row. What was typed is applied before it leaves the screen. */
  async select(place: number): Promise<void> {
    if (place === this.#selected && this.draft.inserting === null && this.#position !== null) return;
    await this.#leave();
    const turn = ++this.#turn;
    this.#selected = place;
    const position = await this.#positionAt(place);
    if (turn !== this.#turn || position === null) return;
    this.#position = position;
    await this.draft.load(position);
  }

  /** Shows a record wherever it is; the row is found if the view has it. */
  async goTo(position: number): Promise<void> {
    await this.#leave();
    const turn = ++this.#turn;
    this.#position = position;
    void this.draft.load(position);
    const place = await this.#placeOf(position);
    if (turn === this.#turn) this.#selected = place;
  }

  /** The nearest row with a finding in a direction. Answers whether there is one. */
  async goToFinding(direction: Direction, rule: string | null = null): Promise<boolean> {
    const found = await call('next_finding', { view: this.view, rule, from: this.#selected, direction });
    if (found.offset === null || found.position === null) return false;
    await this.#leave();
    this.#turn += 1;
    this.#selected = found.offset;
    this.#position = found.position;
    await this.draft.load(found.position);
    return true;
  }

  /** The row's record, when it is loaded. */
  rowAt(place: number): Row | undefined {
    return this.rows.at(place);
  }

  sortBy(column: string): void {
    this.columns.sortBy(column);
    this.#viewChanged();
  }

  columnsChanged(): void {
    this.rows.refresh();
  }

  /** Writes what was typed to the journal. Nothing happens when nothing was changed. */
  async apply(): Promise<void> {
    const detail = this.draft.detail;
    if (!detail || this.draft.inserting !== null || !this.draft.dirty || this.#busy !== null) return;
    const body = this.draft.body();
    await this.#run('writing', `Record ${count(detail.position + 1)} was not changed`, async () => {
      const { id: dataset } = this;
      const answer = await call('edit_record', {
        dataset,
        position: detail.position,
        baseModel: forModel.id,
        body,
      });
      if (this.draft.detail?.position === detail.position) this.draft.written(answer.record, body);
      this.#took(answer.change);
    });
  }

  /** Opens an empty record below the selected one; it is inserted when the person says so. */
  beginInsert(): void {
    this.draft.begin(this.#position === null ? 0 : this.#position + 1);
  }

  async insert(): Promise<void> {
    const position = this.draft.inserting;
    if (position === null) return;
    const records = [this.draft.body()];
    await this.#run('inserting', 'The record was not inserted', async () => {
      const change = await call('insert_records', { dataset: this.id, position, records });
      this.draft.revert();
      this.#took(change);
      await this.#follow(change);
    });
  }

  /** Runs an edit and shows where it led; a long one shows as an activity meanwhile. `say` tells what was done. */
  async edit(
    doing: string,
    failed: string,
    work: () => Promise<Change>,
    say: (change: Change) => void = (change) => this.#say(change),
  ): Promise<boolean> {
    await this.apply();
    return await this.#run(doing, failed, async () => {
      const change = await work();
      this.#took(change);
      await this.#follow(change);
      say(change);
    });
  }

  async undo(): Promise<void> {
    if (!this.summary.value?.undo) return;
    await this.edit(
      'undoing',
      'Nothing was undone',
      () => call('undo', { dataset: this.id }),
      (change) => this.#sayBack('Undone', change, 'Redo', () => this.redo()),
    );
  }

  async redo(): Promise<void> {
    if (!this.summary.value?.redo) return;
    await this.edit(
      'redoing',
      'Nothing was redone',
      () => call('redo', { dataset: this.id }),
      (change) => this.#sayBack('Redone', change, 'Undo', () => this.undo()),
    );
  }

  async save(replaceChanged = false): Promise<void> {
    await this.apply();
    await this.#run('saving', 'The file was not saved', async () => {
      const outcome = await call('save_dataset', { dataset: this.id, replaceChanged });
      this.#saved(outcome.summary, outcome.file, outcome.records);
    });
  }

  async saveAs(): Promise<void> {
    await this.apply();
    await this.#run('saving', 'Nothing was saved', async () => {
      const outcome = await call('save_dataset_as', { dataset: this.id });
      this.#saved(outcome.summary, outcome.file, outcome.records);
    });
  }

  async chooseFile(choice: FileChoice): Promise<void> {
    if (choice === 'saveAs') return await this.saveAs();
    await this.#run('reading the file', 'Nothing was chosen', async () => {
      this.summary.set(await call('choose_file', { dataset: this.id, choice }));
      this.selection.clear();
      this.#refreshAll();
      if (this.#position !== null) await this.goTo(Math.min(this.#position, Math.max(0, this.records - 1)));
    });
  }

  #saved(summary: DatasetSummary, file: string | null, records: number): void {
    this.summary.set(summary);
    if (file !== null)
      toasts.show('ok', `“${summary.name}” is saved`, `${plural(records, 'record')} in ${file}`);
    this.rows.refresh();
  }

  /** Another filter or order: the rows are others, the record stays. */
  #viewChanged(): void {
    this.rows.restart();
    this.selection.anchor(null);
    this.find.search();
    this.#selected = null;
    this.#findRow();
  }

  /** The row of the record on the screen. A filter that is still being evaluated does not know it yet. */
  #findRow(): void {
    const position = this.#position;
    const turn = ++this.#turn;
    if (position === null) return;
    void this.#placeOf(position).then((place) => {
      if (turn === this.#turn) this.#selected = place;
    });
  }

  async #leave(): Promise<void> {
    if (this.draft.inserting === null && this.draft.dirty) await this.apply();
    if (this.draft.inserting !== null) this.draft.revert();
  }

  async #positionAt(place: number): Promise<number | null> {
    if (this.plain) return place;
    const known = this.rows.at(place);
    if (known && this.rows.isCurrent(place)) return known.position;
    try {
      const spans = await call('positions', { view: this.view, places: { start: place, end: place + 1 } });
      return spans[0]?.start ?? null;
    } catch (thrown) {
      toasts.error(toAppError(thrown));
      return null;
    }
  }

  async #placeOf(position: number): Promise<number | null> {
    if (this.plain) return position;
    try {
      return (await call('locate', { view: this.view, position })).offset;
    } catch (thrown) {
      toasts.error(toAppError(thrown));
      return null;
    }
  }

  async #run(doing: string, failed: string, work: () => Promise<void>): Promise<boolean> {
    if (this.#busy !== null) return false;
    this.#busy = doing;
    try {
      await work();
      return true;
    } catch (thrown) {
      toasts.error(toAppError(thrown), failed);
      return false;
    } finally {
      this.#busy = null;
    }
  }

  /** The dataset is another one now. */
  #took(change: Change): void {
    this.summary.set(change.summary);
    if (change.moved) this.selection.clear();
    this.#refreshAll();
  }

  #refreshAll(): void {
    this.#version += 1;
    this.rows.refresh();
    this.findings.refresh();
    this.find.search();
  }

  async #follow(change: Change): Promise<void> {
    const last = change.summary.records - 1;
    if (last < 0) {
      this.#selected = null;
      this.#position = null;
      this.draft.clear();
      return;
    }
    const position = change.position ?? Math.min(this.#position ?? 0, last);
    const turn = ++this.#turn;
    this.#position = position;
    const place = await this.#placeOf(position);
    if (turn !== this.#turn) return;
    this.#selected = place;
    await this.draft.load(position);
  }

  #say(change: Change): void {
    const left = change.untouched > 0 ? `${plural(change.untouched, 'record')} stayed as they were.` : null;
    if (change.records === 0) return toasts.show('note', 'Nothing changed', left);
    toasts.show('ok', change.label, left, { label: 'Undo', run: () => void this.undo() });
  }

  /** One record is seen to change; of many it is said. */
  #sayBack(done: string, change: Change, label: string, back: () => Promise<void>): void {
    if (change.records > 1)
      toasts.show('note', `${done}: ${change.label}`, null, { label, run: () => void back() });
  }
}
