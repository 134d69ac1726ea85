/** The snapshots of a dataset, and what is different now from one of them, by the page. */
import type { AppError, DiffEntry, DiffKind, DiffWindow, Snapshot } from '../../contract';
import { call, toAppError } from '../../platform';
import { Resource } from '../../state/resource.svelte';

const PAGE = 50;

export class SnapshotList {
  readonly dataset: string;
  readonly list: Resource<Snapshot[]>;
  #chosen = $state<string | null>(null);
  #kind = $state<DiffKind | null>(null);
  #counts = $state.raw<DiffWindow | null>(null);
  #entries = $state.raw<DiffEntry[]>([]);
  #error = $state.raw<AppError | null>(null);
  #loading = $state(false);
  #turn = 0;

  constructor(dataset: string) {
    this.dataset = dataset;
    this.list = new Resource(() => call('snapshots', { dataset }));
  }

  get chosen(): Snapshot | undefined {
    return this.list.value?.find((one) => one.id === this.#chosen);
  }
  get kind(): DiffKind | null {
    return this.#kind;
  }
  /** How many of each kind; null before the first answer. */
  get counts(): DiffWindow | null {
    return this.#counts;
  }
  get entries(): readonly DiffEntry[] {
    return this.#entries;
  }
  get error(): AppError | null {
    return this.#error;
  }
  get loading(): boolean {
    return this.#loading;
  }
  get more(): boolean {
    return this.#counts !== null && this.#entries.length < this.#counts.total;
  }

  choose(id: string): void {
    this.#chosen = id;
    this.#kind = null;
    this.compare();
  }

  show(kind: DiffKind | null): void {
    this.#kind = kind;
    this.compare();
  }

  /** Compares from the start: another snapshot, another kind, or the records changed. */
  compare(): void {
    this.#turn += 1;
    this.#entries = [];
    this.#counts = null;
    void this.next();
  }

  async next(): Promise<void> {
    const snapshot = this.#chosen;
    if (snapshot === null) return;
    const turn = this.#turn;
    this.#loading = true;
    try {
      const answer = await call('diff_snapshot', {
        dataset: this.dataset,
        snapshot,
        kind: this.#kind,
        offset: this.#entries.length,
        count: PAGE,
      });
      if (turn !== this.#turn) return;
      this.#counts = answer;
      this.#entries = [...this.#entries, ...answer.entries];
      this.#error = null;
    } catch (thrown) {
      if (turn === this.#turn) this.#error = toAppError(thrown);
    } finally {
      if (turn === this.#turn) this.#loading = false;
    }
  }

  async create(name: string): Promise<void> {
    const made = await call('create_snapshot', { dataset: this.dataset, name });
    this.list.set([made, ...(this.list.value ?? [])]);
    this.choose(made.id);
  }

  async remove(id: string): Promise<void> {
    await call('delete_snapshot', { dataset: this.dataset, snapshot: id });
    this.list.set((this.list.value ?? []).filter((one) => one.id !== id));
    if (this.#chosen === id) this.#chosen = null;
  }
}
