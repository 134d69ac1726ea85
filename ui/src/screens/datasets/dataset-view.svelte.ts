/** One opened dataset: where the person is in it, what they are editing, and what is wrong with it for the chosen model. */
import type {
  AppError,
  DatasetSummary,
  Finding,
  FindingsReport,
  RecordDetail,
  Role,
  Turn,
} from '../../contract';
import { count } from '../../format';
import { call, toAppError } from '../../platform';
import { forModel } from '../../state/preferences.svelte';
import { Resource } from '../../state/resource.svelte';
import { toasts } from '../../state/toasts.svelte';
import { RowPages } from './row-pages.svelte';

export class DatasetView {
  readonly id: string;
  readonly rows: RowPages;
  readonly summary: Resource<DatasetSummary>;
  readonly findings: Resource<FindingsReport>;
  #selected = $state<number | null>(null);
  #record = $state.raw<RecordDetail | null>(null);
  #recordError = $state.raw<AppError | null>(null);
  #applying = $state(false);
  #appliedAt = $state<number | null>(null);
  /** The record that is being written, not yet in the dataset: where it will stand. */
  #inserting = $state<number | null>(null);
  #turn = 0;

  /** What stands in the fields. */
  draft = $state<Turn[]>([]);

  constructor(id: string) {
    this.id = id;
    this.rows = new RowPages(id, () => forModel.id);
    this.summary = new Resource(() => call('dataset', { dataset: id }));
    this.findings = new Resource(() => call('findings', { dataset: id, baseModel: forModel.id }));
  }

  get selected(): number | null {
    return this.#selected;
  }
  get record(): RecordDetail | null {
    return this.#record;
  }
  get recordError(): AppError | null {
    return this.#recordError;
  }
  get applying(): boolean {
    return this.#applying;
  }
  /** When an edit was last written to the journal, in this opening. */
  get appliedAt(): number | null {
    return this.#appliedAt;
  }
  get inserting(): number | null {
    return this.#inserting;
  }
  get total(): number {
    return this.rows.total ?? this.summary.value?.records ?? 0;
  }
  get dirty(): boolean {
    if (this.#inserting !== null) return this.draft.some((turn) => turn.text !== '');
    return this.#record !== null && !sameTurns(cleaned(this.draft), this.#record.turns);
  }

  /** Everything from the start: after opening, and when the chosen model changes. */
  load(): void {
    void this.summary.reload();
    void this.findings.reload();
    this.rows.refresh();
  }

  /** The dataset changed outside of this page. What is being typed stays. */
  refresh(): void {
    void this.summary.reload();
    this.rows.refresh();
  }

  async select(position: number): Promise<void> {
    if (position === this.#selected && this.#inserting === null && this.#record?.position === position)
      return;
    // Whatever was typed is applied before it leaves the screen.
    if (this.#inserting === null && this.dirty) await this.apply();
    this.#inserting = null;
    this.#selected = position;
    await this.reloadRecord();
  }

  async reloadRecord(): Promise<void> {
    const position = this.#selected;
    if (position === null) return;
    const turn = ++this.#turn;
    try {
      const record = await call('record', { dataset: this.id, position, baseModel: forModel.id });
      if (turn !== this.#turn) return;
      this.#show(record);
    } catch (thrown) {
      if (turn === this.#turn) this.#recordError = toAppError(thrown);
    }
  }

  /** Writes what was typed to the journal. Nothing happens when nothing was changed. */
  async apply(): Promise<void> {
    const record = this.#record;
    if (!record || this.#inserting !== null || !this.dirty || this.#applying) return;
    const turns = cleaned(this.draft);
    this.#applying = true;
    try {
      const fresh = await call('edit_record', {
        dataset: this.id,
        position: record.position,
        turns,
        baseModel: forModel.id,
      });
      this.#appliedAt = Date.now();
      // Only what was sent is now in the dataset; more may have been typed since.
      if (this.#record === record) {
        const typedSince = !sameTurns(cleaned(this.draft), turns);
        this.#record = fresh;
        if (!typedSince) this.draft = fresh.turns.map((one) => ({ ...one }));
      }
      this.#afterChange();
    } catch (thrown) {
      toasts.error(toAppError(thrown), `Record ${count(record.position + 1)} was not changed`);
    } finally {
      this.#applying = false;
    }
  }

  revert(): void {
    if (this.#record) this.draft = this.#record.turns.map((turn) => ({ ...turn }));
  }

  addSystem(): void {
    if (this.draft.some((turn) => turn.role === 'system')) return;
    this.draft = [{ role: 'system', text: '' }, ...this.draft];
  }

  /** Opens an empty record below the selected one; it is inserted when the person says so. */
  beginInsert(): void {
    this.#inserting = this.#selected === null ? 0 : this.#selected + 1;
    const roles: Role[] = ['user', 'assistant'];
    this.draft = roles.map((role) => ({ role, text: '' }));
  }

  cancelInsert(): void {
    this.#inserting = null;
    this.revert();
  }

  async insert(): Promise<void> {
    const position = this.#inserting;
    if (position === null || this.#applying) return;
    this.#applying = true;
    try {
      const summary = await call('insert_record', { dataset: this.id, position, turns: cleaned(this.draft) });
      this.#inserting = null;
      this.#selected = position;
      this.#appliedAt = Date.now();
      this.summary.set(summary);
      this.#afterChange();
      await this.reloadRecord();
    } catch (thrown) {
      toasts.error(toAppError(thrown), 'The record was not inserted');
    } finally {
      this.#applying = false;
    }
  }

  async remove(): Promise<void> {
    const position = this.#selected;
    if (position === null) return;
    try {
      const summary = await call('delete_record', { dataset: this.id, position });
      this.#appliedAt = Date.now();
      await this.#jumped(summary);
      toasts.show('note', `Record ${count(position + 1)} was deleted`, null, {
        label: 'Undo',
        run: () => void this.undo(),
      });
    } catch (thrown) {
      toasts.error(toAppError(thrown), `Record ${count(position + 1)} was not deleted`);
    }
  }

  async undo(): Promise<void> {
    await this.#step('undo');
  }

  async redo(): Promise<void> {
    await this.#step('redo');
  }

  async #step(direction: 'undo' | 'redo'): Promise<void> {
    const summary = this.summary.value;
    if (!summary || !(direction === 'undo' ? summary.canUndo : summary.canRedo)) return;
    try {
      await this.#jumped(await call(direction, { dataset: this.id }));
    } catch (thrown) {
      toasts.error(toAppError(thrown));
    }
  }

  /** The dataset is another one now; the place in it stays as near as it can. */
  async #jumped(summary: DatasetSummary): Promise<void> {
    this.summary.set(summary);
    this.#inserting = null;
    if (this.#selected !== null) {
      this.#selected = summary.records === 0 ? null : Math.min(this.#selected, summary.records - 1);
    }
    if (this.#selected === null) this.#record = null;
    this.#afterChange();
    await this.reloadRecord();
  }

  #afterChange(): void {
    this.rows.refresh();
    void this.findings.reload();
    void this.summary.reload();
  }

  #show(record: RecordDetail): void {
    this.#record = record;
    this.#recordError = null;
    this.draft = record.turns.map((turn) => ({ ...turn }));
  }

  /** The next place with a finding in a direction, going round at the end; null when there is none. */
  nextFinding(direction: 1 | -1): number | null {
    const places = findingPlaces(this.findings.value?.findings ?? []);
    if (places.length === 0) return null;
    const from = this.#selected ?? (direction === 1 ? -1 : Number.POSITIVE_INFINITY);
    const next =
      direction === 1 ? places.find((place) => place > from) : places.findLast((place) => place < from);
    return next ?? (direction === 1 ? places[0] : places.at(-1)) ?? null;
  }
}

/** The positions that findings name, each once, in order. */
export function findingPlaces(findings: readonly Finding[]): number[] {
  const places = findings.flatMap((finding) => (finding.position === null ? [] : [finding.position]));
  return [...new Set(places)].sort((a, b) => a - b);
}

/** A system prompt that was emptied is no system prompt. */
function cleaned(turns: readonly Turn[]): Turn[] {
  return turns
    .filter((turn) => turn.role !== 'system' || turn.text !== '')
    .map((turn) => ({ role: turn.role, text: turn.text }));
}

function sameTurns(a: readonly Turn[], b: readonly Turn[]): boolean {
  return (
    a.length === b.length &&
    a.every((turn, index) => turn.role === b[index]?.role && turn.text === b[index]?.text)
  );
}
