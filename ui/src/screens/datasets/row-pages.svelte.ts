/**
 * The rows of a view, fetched by the page as they come into sight. Pages out of sight for long are let go.
 *
 * However fast one scrolls, at most a few pages are asked for at a time, and each answer is followed by a look at what
 * is in sight now: what was passed over is not fetched, and what one stopped at always is.
 */
import type { AppError, Coverage, Row, TextProblem, TokenSource, View } from '../../contract';
import { call, toAppError } from '../../platform';

const PAGE = 200;
const KEPT = 24;
const AT_ONCE = 3;

interface Page {
  rows: Row[];
  /** Edits make a page stale; its rows stay on the screen until fresh ones are there. */
  generation: number;
}

export interface RowQuestion {
  view: View;
  columns: string[];
}

const DONE: Coverage = { complete: true, fraction: null, activity: null };

export class RowPages {
  #question: () => RowQuestion;
  #pages = $state.raw(new Map<number, Page>());
  #total = $state<number | null>(null);
  #records = $state<number | null>(null);
  #coverage = $state.raw<Coverage>(DONE);
  #tokenSource = $state.raw<TokenSource | null>(null);
  #problem = $state.raw<TextProblem | null>(null);
  #error = $state.raw<AppError | null>(null);
  #generation = 0;
  /** The generation that began with another view: rows of earlier ones are other rows. */
  #began = 0;
  #fetching = new Map<number, number>();
  #view = { first: 0, end: 1 };

  /** Asked each time a page is fetched, so that it is of the view and the columns that hold then. */
  constructor(question: () => RowQuestion) {
    this.#question = question;
  }

  /** How many rows there are, so far; null before the first answer. */
  get total(): number | null {
    return this.#total;
  }
  /** How many records the dataset has, so far. */
  get records(): number | null {
    return this.#records;
  }
  get coverage(): Coverage {
    return this.#coverage;
  }
  get tokenSource(): TokenSource | null {
    return this.#tokenSource;
  }
  /** What is wrong with the filter. */
  get problem(): TextProblem | null {
    return this.#problem;
  }
  get error(): AppError | null {
    return this.#error;
  }

  at(offset: number): Row | undefined {
    return this.#pages.get(Math.floor(offset / PAGE))?.rows[offset % PAGE];
  }

  /** Whether the row that `at` shows is of the present view, not of the one before. */
  isCurrent(offset: number): boolean {
    return (this.#pages.get(Math.floor(offset / PAGE))?.generation ?? -1) >= this.#began;
  }

  /** Says which rows are looked at, and fetches what is missing. */
  view(first: number, end: number): void {
    this.#view = { first, end };
    const firstPage = Math.floor(first / PAGE);
    const lastPage = Math.floor(Math.max(first, end - 1) / PAGE);
    for (let page = firstPage; page <= lastPage; page += 1) this.#want(page);
  }

  /** The records may have changed: fetches what is in sight again. */
  refresh(): void {
    this.#generation += 1;
    this.#error = null;
    this.view(this.#view.first, this.#view.end);
  }

  /** Another view. The rows of the old one stay on the screen until the new one answers. */
  restart(): void {
    this.#generation += 1;
    this.#began = this.#generation;
    this.#error = null;
    this.view(0, Math.max(1, this.#view.end - this.#view.first));
  }

  #want(page: number): void {
    const generation = this.#generation;
    if (this.#pages.get(page)?.generation === generation) return;
    if (this.#fetching.get(page) === generation) return;
    if ([...this.#fetching.values()].filter((one) => one === generation).length >= AT_ONCE) return;
    this.#fetching.set(page, generation);
    void this.#fetch(page, generation);
  }

  async #fetch(page: number, generation: number): Promise<void> {
    let failed = false;
    try {
      const answer = await call('rows', { ...this.#question(), offset: page * PAGE, count: PAGE });
      if (generation !== this.#generation) return;
      this.#total = answer.total;
      this.#records = answer.records;
      this.#coverage = answer.coverage;
      this.#tokenSource = answer.tokenSource;
      this.#problem = answer.problem;
      this.#error = null;
      this.#keep(page, { rows: answer.rows, generation });
    } catch (thrown) {
      failed = true;
      if (generation === this.#generation) this.#error = toAppError(thrown);
    } finally {
      if (this.#fetching.get(page) === generation) this.#fetching.delete(page);
      // What failed is asked for again by the person, not in a loop.
      if (!failed || generation !== this.#generation) this.view(this.#view.first, this.#view.end);
    }
  }

  #keep(page: number, fresh: Page): void {
    const pages = new Map([...this.#pages].filter(([, known]) => known.generation >= this.#began));
    pages.delete(page);
    pages.set(page, fresh);
    for (const oldest of pages.keys()) {
      if (pages.size <= KEPT) break;
      pages.delete(oldest);
    }
    this.#pages = pages;
  }
}
