/** The rows of a dataset, fetched by the page as they come into view. Pages out of sight for long are let go. */
import type { AppError, Row } from '../../contract';
import { call, toAppError } from '../../platform';

const PAGE = 200;
const KEPT = 24;

interface Page {
  rows: Row[];
  /** Edits make a page stale; its rows stay on the screen until fresh ones are there. */
  generation: number;
}

export class RowPages {
  #dataset: string;
  #baseModel: () => string;
  #pages = $state.raw(new Map<number, Page>());
  #total = $state<number | null>(null);
  #error = $state.raw<AppError | null>(null);
  #generation = 0;
  #fetching = new Map<number, number>();
  #view = { first: 0, end: 0 };

  /** Tokens are estimated for the base model that is chosen when a page is fetched. */
  constructor(dataset: string, baseModel: () => string) {
    this.#dataset = dataset;
    this.#baseModel = baseModel;
  }

  /** How many rows there are; null before the first answer. */
  get total(): number | null {
    return this.#total;
  }

  get error(): AppError | null {
    return this.#error;
  }

  at(position: number): Row | undefined {
    return this.#pages.get(Math.floor(position / PAGE))?.rows[position % PAGE];
  }

  /** Says which rows are looked at, and fetches what is missing. */
  view(first: number, end: number): void {
    this.#view = { first, end };
    const firstPage = Math.floor(first / PAGE);
    const lastPage = Math.floor(Math.max(first, end - 1) / PAGE);
    for (let page = firstPage; page <= lastPage; page += 1) this.#want(page);
  }

  /** Everything may have changed: fetches what is in view again. */
  refresh(): void {
    this.#generation += 1;
    this.view(this.#view.first, this.#view.end);
  }

  #want(page: number): void {
    const generation = this.#generation;
    if (this.#pages.get(page)?.generation === generation) return;
    if (this.#fetching.get(page) === generation) return;
    this.#fetching.set(page, generation);
    void this.#fetch(page, generation);
  }

  async #fetch(page: number, generation: number): Promise<void> {
    try {
      const answer = await call('rows', {
        dataset: this.#dataset,
        offset: page * PAGE,
        count: PAGE,
        baseModel: this.#baseModel(),
      });
      if (generation !== this.#generation) return;
      this.#total = answer.total;
      this.#error = null;
      this.#keep(page, { rows: answer.rows, generation });
    } catch (thrown) {
      if (generation === this.#generation) this.#error = toAppError(thrown);
    } finally {
      if (this.#fetching.get(page) === generation) this.#fetching.delete(page);
    }
  }

  #keep(page: number, fresh: Page): void {
    const pages = new Map(this.#pages);
    pages.delete(page);
    pages.set(page, fresh);
    for (const oldest of pages.keys()) {
      if (pages.size <= KEPT) break;
      pages.delete(oldest);
    }
    this.#pages = pages;
  }
}
