/** The columns of the table: those there are, those the person chose for this dataset, and the order of the rows. */
import type { ColumnChoice, Sort } from '../../contract';
import { call } from '../../platform';
import { remember, remembered } from '../../state/preferences.svelte';
import { Resource } from '../../state/resource.svelte';

const BEFORE_KNOWN = ['prompt', 'completion'];

export class TableColumns {
  readonly #key: string;
  readonly choices: Resource<ColumnChoice[]>;
  #chosen = $state.raw<string[] | null>(null);
  #sort = $state.raw<Sort | null>(null);

  constructor(dataset: string) {
    this.#key = `columns.${dataset}`;
    this.choices = new Resource(() => call('columns', { dataset }));
    const saved = remembered(this.#key);
    if (saved) this.#chosen = saved.split('\n');
  }

  /** Ids of the columns shown, in their order. */
  get shown(): string[] {
    const known = this.choices.value;
    if (!known) return this.#chosen ?? BEFORE_KNOWN;
    const wanted = this.#chosen?.filter((id) => known.some((one) => one.id === id));
    return wanted && wanted.length > 0 ? wanted : known.filter((one) => one.preset).map((one) => one.id);
  }
  get sort(): Sort | null {
    return this.#sort;
  }

  toggle(id: string): void {
    const order = (this.choices.value ?? []).map((one) => one.id);
    const next = this.shown.includes(id) ? this.shown.filter((one) => one !== id) : [...this.shown, id];
    if (next.length === 0) return;
    this.#chosen = next.sort((a, b) => order.indexOf(a) - order.indexOf(b));
    remember(this.#key, this.#chosen.join('\n'));
  }

  preset(): void {
    this.#chosen = null;
    remember(this.#key, null);
  }

  /** Up, down, and back to the dataset's own order. */
  sortBy(column: string): void {
    if (this.#sort?.column !== column) this.#sort = { column, descending: false };
    else this.#sort = this.#sort.descending ? null : { column, descending: true };
  }
}
