/** Find and replace: what is looked for, the hits by the page with what each would become, and the one that is looked at. */
import type { AppError, Coverage, FindQuery, FindScope, Hit, TextProblem, View } from '../../contract';
import { call, toAppError } from '../../platform';

const PAGE = 100;
const KEPT = 12;

export class FindState {
  #view: () => View;
  #open = $state(false);
  #replacing = $state(false);
  #pages = $state.raw(new Map<number, Hit[]>());
  #hits = $state<number | null>(null);
  #records = $state(0);
  #coverage = $state.raw<Coverage | null>(null);
  #problem = $state.raw<TextProblem | null>(null);
  #error = $state.raw<AppError | null>(null);
  /** Number of the hit that is looked at. */
  #at = $state<number | null>(null);
  #generation = 0;
  #fetching = new Set<number>();
  #sight = { first: 0, end: 1 };

  text = $state('');
  replacement = $state('');
  regex = $state(false);
  matchCase = $state(false);
  wholeWords = $state(false);
  scope = $state<FindScope>('everywhere');

  constructor(view: () => View) {
    this.#view = view;
  }

  get open(): boolean {
    return this.#open;
  }
  get replacing(): boolean {
    return this.#replacing;
  }
  /** Hits, so far; null before the first answer. */
  get hits(): number | null {
    return this.#hits;
  }
  get records(): number {
    return this.#records;
  }
  get coverage(): Coverage | null {
    return this.#coverage;
  }
  get problem(): TextProblem | null {
    return this.#problem;
  }
  get error(): AppError | null {
    return this.#error;
  }
  get at(): number | null {
    return this.#at;
  }
  get query(): FindQuery {
    const { text, regex, matchCase, wholeWords, scope } = this;
    return { text, regex, matchCase, wholeWords, scope };
  }

  hit(index: number): Hit | undefined {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  show(replacing: boolean): void {
    this.#open = true;
    this.#replacing = replacing;
    if (this.text !== '') this.search();
  }

  close(): void {
    this.#open = false;
    this.#forget();
  }

  /** The question changed, or what it is asked of. */
  search(): void {
    this.#forget();
    if (!this.#open || this.text === '') return;
    void this.#fetch(0, this.#generation);
  }

  /** More has been searched. */
  grown(): void {
    if (!this.#open || this.text === '' || this.#coverage?.complete) return;
    this.#fetching.clear();
    this.view(this.#sight.first, this.#sight.end);
  }

  view(first: number, end: number): void {
    this.#sight = { first, end };
    const last = Math.floor(Math.max(first, end - 1) / PAGE);
    for (let page = Math.floor(first / PAGE); page <= last; page += 1) {
      if (!this.#fetching.has(page)) void this.#fetch(page, this.#generation);
    }
  }

  /** To the next hit in a direction; from a row of the table when none is looked at yet. Null when there is none. */
  async step(direction: 1 | -1, row: number | null): Promise<Hit | null> {
    const hits = this.#hits ?? 0;
    if (hits === 0) return null;
    if (this.#at === null) {
      const index = row === null ? 0 : await this.#firstFrom(row);
      this.#at = index < hits ? index : 0;
    } else {
      this.#at = (this.#at + direction + hits) % hits;
    }
    return await this.look(this.#at);
  }

  /** Makes a hit the one that is looked at. */
  async look(index: number): Promise<Hit | null> {
    this.#at = index;
    const page = Math.floor(index / PAGE);
    if (!this.#pages.has(page)) await this.#fetch(page, this.#generation);
    return this.hit(index) ?? null;
  }

  /** The number of a hit within its record, as a replacement of one takes it. */
  inRecord(index: number): number {
    const position = this.hit(index)?.position;
    let before = 0;
    while (this.hit(index - before - 1)?.position === position && before < index) before += 1;
    return before;
  }

  #forget(): void {
    this.#generation += 1;
    this.#fetching.clear();
    this.#pages = new Map();
    this.#hits = null;
    this.#records = 0;
    this.#coverage = null;
    this.#problem = null;
    this.#error = null;
    this.#at = null;
    this.#sight = { first: 0, end: 1 };
  }

  async #firstFrom(row: number): Promise<number> {
    const answer = await call('find', { ...this.#ask(), from: { kind: 'row', offset: row }, count: 1 });
    return answer.window.length === 0 ? 0 : answer.first;
  }

  #ask() {
    const replacement = this.#replacing ? this.replacement : null;
    return { view: this.#view(), query: this.query, replacement };
  }

  async #fetch(page: number, generation: number): Promise<void> {
    this.#fetching.add(page);
    try {
      const from = { kind: 'hit' as const, index: page * PAGE };
      const answer = await call('find', { ...this.#ask(), from, count: PAGE });
      if (generation !== this.#generation) return;
      this.#hits = answer.hits;
      this.#records = answer.records;
      this.#coverage = answer.coverage;
      this.#problem = answer.problem;
      this.#error = null;
      const pages = new Map(this.#pages);
      pages.delete(page);
      pages.set(page, answer.window);
      for (const oldest of pages.keys()) {
        if (pages.size <= KEPT) break;
        pages.delete(oldest);
        this.#fetching.delete(oldest);
      }
      this.#pages = pages;
    } catch (thrown) {
      if (generation === this.#generation) this.#error = toAppError(thrown);
    }
  }
}
