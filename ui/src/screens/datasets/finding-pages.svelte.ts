/** What is wrong with the dataset for the chosen model: counts by rule, and the findings of one rule by the page. */
import type { AppError, Finding, FindingsReport, RuleCount } from '../../contract';
import { call, toAppError } from '../../platform';
import { Resource } from '../../state/resource.svelte';
import { toasts } from '../../state/toasts.svelte';

const PAGE = 100;
const KEPT = 12;

interface Question {
  dataset: string;
  baseModel: () => string;
}

export class FindingPages {
  #question: Question;
  readonly report: Resource<FindingsReport>;
  #rule = $state<string | null>(null);
  #pages = $state.raw(new Map<number, Finding[]>());
  #total = $state<number | null>(null);
  #error = $state.raw<AppError | null>(null);
  #asking = $state(false);
  #generation = 0;
  #fetching = new Set<number>();
  #view = { first: 0, end: 1 };

  constructor(question: Question) {
    this.#question = question;
    this.report = new Resource(() =>
      call('findings', {
        dataset: question.dataset,
        baseModel: question.baseModel(),
        customizationType: null,
      }),
    );
  }

  /** The rule whose findings are listed; null for all. */
  get rule(): string | null {
    return this.#rule;
  }
  get chosen(): RuleCount | undefined {
    return this.report.value?.rules.find((one) => one.rule === this.#rule);
  }
  /** Findings that the list has. Before the first answer what the counts say. */
  get total(): number {
    return this.#total ?? this.chosen?.findings ?? this.all;
  }
  get all(): number {
    const report = this.report.value;
    return report ? report.errors + report.warnings + report.notes : 0;
  }
  get error(): AppError | null {
    return this.#error;
  }
  /** Whether the pass for near duplicates is being asked for. */
  get asking(): boolean {
    return this.#asking;
  }

  /** Begins the pass for near duplicates; the report says how far it is. */
  async findNear(): Promise<void> {
    this.#asking = true;
    try {
      const { dataset, baseModel } = this.#question;
      this.report.set(
        await call('find_near_duplicates', { dataset, baseModel: baseModel(), customizationType: null }),
      );
    } catch (thrown) {
      toasts.error(toAppError(thrown), 'Near duplicates were not looked for');
    } finally {
      this.#asking = false;
    }
  }

  at(index: number): Finding | undefined {
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  choose(rule: string | null): void {
    if (rule === this.#rule) return;
    this.#rule = rule;
    this.#pages = new Map();
    this.#total = null;
    this.#again();
  }

  /** The dataset, the model, or the state of the checking is another one now. */
  refresh(): void {
    void this.report.reload();
    this.#again();
  }

  view(first: number, end: number): void {
    this.#view = { first, end };
    const last = Math.floor(Math.max(first, end - 1) / PAGE);
    for (let page = Math.floor(first / PAGE); page <= last; page += 1) {
      if (!this.#fetching.has(page)) void this.#fetch(page, this.#generation);
    }
  }

  #again(): void {
    this.#generation += 1;
    this.#fetching.clear();
    // Only a list that is on the screen is read.
    if (this.#rule !== null) this.view(this.#view.first, this.#view.end);
  }

  async #fetch(page: number, generation: number): Promise<void> {
    this.#fetching.add(page);
    try {
      const answer = await call('finding_list', {
        dataset: this.#question.dataset,
        baseModel: this.#question.baseModel(),
        rule: this.#rule,
        offset: page * PAGE,
        count: PAGE,
      });
      if (generation !== this.#generation) return;
      this.#error = null;
      this.#total = answer.total;
      const pages = new Map(this.#pages);
      pages.delete(page);
      pages.set(page, answer.findings);
      for (const oldest of pages.keys()) {
        if (pages.size <= KEPT) break;
        pages.delete(oldest);
        this.#fetching.delete(oldest);
      }
      this.#pages = pages;
    } catch (thrown) {
      if (generation !== this.#generation) return;
      this.#error = toAppError(thrown);
    }
  }
}
