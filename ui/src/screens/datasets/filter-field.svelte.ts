/** The filter as it is written, what could follow, and what is wrong with it. Asked about at every keystroke; applied on Enter. */
import type { Completion, FilterHelp, TextProblem } from '../../contract';
import { call, toAppError } from '../../platform';

interface Question {
  dataset: string;
  baseModel: () => string;
}

const NOTHING: FilterHelp = { problem: null, completions: [] };

export class FilterField {
  #question: Question;
  #applied = $state('');
  #help = $state.raw<FilterHelp>(NOTHING);
  #open = $state(false);
  #at = $state(-1);
  #latest = 0;
  #onapply: () => void;

  text = $state('');

  constructor(question: Question, onapply: () => void) {
    this.#question = question;
    this.#onapply = onapply;
  }

  /** The filter that the view has. */
  get applied(): string {
    return this.#applied;
  }
  get problem(): TextProblem | null {
    return this.#help.problem;
  }
  get completions(): readonly Completion[] {
    return this.#open ? this.#help.completions : [];
  }
  /** The completion that Enter would take; -1 for none. */
  get at(): number {
    return this.#at;
  }

  async ask(cursor: number): Promise<void> {
    const turn = ++this.#latest;
    const { dataset, baseModel } = this.#question;
    try {
      const help = await call('filter_help', { dataset, baseModel: baseModel(), text: this.text, cursor });
      if (turn !== this.#latest) return;
      this.#help = help;
      this.#open = true;
      this.#at = -1;
    } catch (thrown) {
      // Without help the filter can still be applied; what is wrong with it is said then.
      if (turn === this.#latest) this.#help = { problem: null, completions: [] };
      void toAppError(thrown);
    }
  }

  move(step: 1 | -1): void {
    const many = this.completions.length;
    if (many > 0) this.#at = this.#at < 0 ? (step === 1 ? 0 : many - 1) : (this.#at + step + many) % many;
  }

  /** Puts a completion into the text; answers where the cursor goes. */
  take(index: number): number | null {
    const chosen = this.completions[index];
    if (!chosen) return null;
    this.text = this.text.slice(0, chosen.start) + chosen.insert + this.text.slice(chosen.end);
    this.#at = -1;
    return chosen.start + chosen.insert.length;
  }

  close(): void {
    this.#latest += 1;
    this.#open = false;
    this.#at = -1;
  }

  apply(): void {
    this.close();
    const wanted = this.text.trim();
    if (wanted === this.#applied) return;
    this.#applied = wanted;
    this.#onapply();
  }

  /** Sets and applies a filter that another part of the page made. */
  set(text: string): void {
    this.text = text;
    this.#help = NOTHING;
    this.apply();
  }
}
