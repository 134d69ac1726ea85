/** The record in the side panel: as it is, as it is being written, and what the rules say to that. */
import type { AppError, Block, RecordBody, RecordContent, RecordDetail, Turn } from '../../contract';
import { call, toAppError } from '../../platform';
import { isSpaced, layOut, onOneLine } from './json-text';

export type RecordFace = 'form' | 'json' | 'model';

interface Question {
  dataset: string;
  baseModel: () => string;
}

export class RecordDraft {
  #question: Question;
  #detail = $state.raw<RecordDetail | null>(null);
  #checked = $state.raw<RecordContent | null>(null);
  #error = $state.raw<AppError | null>(null);
  #checkError = $state.raw<AppError | null>(null);
  /** Texts too long for a plain field, by "turn-block"; decided when the record is shown, so that no field is exchanged under the cursor. */
  #long = $state.raw<ReadonlySet<string>>(new Set());
  /** Where the record that is being made will stand; null while an existing one is edited. */
  #inserting = $state<number | null>(null);
  #face = $state<RecordFace>('form');
  /** Which of the two was written in last; the other follows it. */
  #written = $state<'turns' | 'json'>('turns');
  #spaced = false;
  #turn = 0;
  #asking = false;
  #askAgain = false;
  /** Whether the record itself is wanted with what is said of it. */
  #wanted = false;
  #waiting: (() => void)[] = [];

  /** What stands in the fields. */
  turns = $state<Turn[]>([]);
  /** What stands in the JSON editor, laid out. */
  json = $state('');

  constructor(question: Question) {
    this.#question = question;
  }

  get detail(): RecordDetail | null {
    return this.#detail;
  }
  /** Findings and tokens of what is written now. */
  get content(): RecordContent | null {
    return this.#checked ?? (this.#inserting === null ? (this.#detail?.content ?? null) : null);
  }
  get error(): AppError | null {
    return this.#error;
  }
  /** Why what is written could not be checked. */
  get checkError(): AppError | null {
    return this.#checkError;
  }
  get inserting(): number | null {
    return this.#inserting;
  }
  /** Whether a text is laid out only where it is looked at. */
  isLong(turn: number, block: number): boolean {
    return this.#long.has(`${turn}-${block}`);
  }
  get face(): RecordFace {
    return this.#face;
  }

  get dirty(): boolean {
    if (this.#inserting !== null)
      return this.turns.some((turn) => turn.content.some((block) => block.text !== ''));
    const detail = this.#detail;
    if (!detail) return false;
    if (this.#written === 'json')
      return onOneLine(this.json, this.#spaced) !== onOneLine(detail.content.json, this.#spaced);
    return !sameTurns(cleaned(this.turns), detail.content.turns);
  }

  async load(position: number): Promise<void> {
    const turn = ++this.#turn;
    try {
      const { dataset, baseModel } = this.#question;
      const detail = await call('record', { dataset, position, baseModel: baseModel() });
      if (turn === this.#turn) this.show(detail);
    } catch (thrown) {
      if (turn === this.#turn) this.#error = toAppError(thrown);
    }
  }

  show(detail: RecordDetail): void {
    this.#turn += 1;
    this.#inserting = null;
    this.#detail = detail;
    this.#error = null;
    this.#adopt(detail.content);
    this.#checked = null;
    if (detail.content.problem) this.#face = 'json';
  }

  /** After an edit was written. What was typed since stays, and is not written yet. */
  written(detail: RecordDetail, body: RecordBody): void {
    const typedSince = JSON.stringify(this.body()) !== JSON.stringify(body);
    if (!typedSince) return this.show(detail);
    this.#detail = detail;
  }

  clear(): void {
    this.#turn += 1;
    this.#inserting = null;
    this.#detail = null;
    this.#checked = null;
    this.#error = null;
    this.turns = [];
    this.json = '';
  }

  begin(position: number): void {
    this.#long = new Set();
    this.#inserting = position;
    this.#face = 'form';
    this.#written = 'turns';
    this.#checked = null;
    this.turns = [emptyTurn('user'), emptyTurn('assistant')];
  }

  /** Back to what the dataset holds. */
  revert(): void {
    this.#inserting = null;
    this.#checked = null;
    this.#checkError = null;
    if (this.#detail) this.#adopt(this.#detail.content);
  }

  /** What an edit sends. */
  body(): RecordBody {
    return this.#written === 'json'
      ? { kind: 'json', json: onOneLine(this.json, this.#spaced) }
      : { kind: 'turns', turns: cleaned(this.turns) };
  }

  /** The fields changed. Checked as one types: one question at a time, and the last state always. */
  typed(kind: 'turns' | 'json' = 'turns'): void {
    this.#written = kind;
    void this.#check();
  }

  /** The model that findings are for is another one. */
  recheck(): void {
    if (this.#inserting === null && this.#detail && !this.dirty) void this.load(this.#detail.position);
    else void this.#check();
  }

  /** Shows another face of the record; what was written in the one left is carried over. */
  async turnTo(face: RecordFace): Promise<void> {
    if (face === this.#face) return;
    if (this.dirty || this.#checked !== null) await this.#settled();
    const content = this.content;
    if (face === 'form' && this.#written === 'json' && content && !content.problem && this.dirty) {
      this.turns = copy(content.turns);
      this.#written = 'turns';
    }
    if (face === 'json' && this.#written === 'turns' && content) this.json = layOut(content.json);
    this.#face = face;
  }

  /** A turn came, went or moved, so that the places of long texts are others. */
  #reordered(turns: Turn[]): void {
    this.turns = turns;
    this.#long = longTexts(turns);
    this.typed();
  }

  addTurn(): void {
    const last = this.turns.at(-1)?.role;
    this.#reordered([...this.turns, emptyTurn(last === 'user' ? 'assistant' : 'user')]);
  }

  addSystem(): void {
    if (this.turns.some((turn) => turn.role === 'system')) return;
    this.#reordered([emptyTurn('system'), ...this.turns]);
  }

  removeTurn(index: number): void {
    this.#reordered(this.turns.filter((_, at) => at !== index));
  }

  moveTurn(index: number, step: -1 | 1): void {
    const turns = [...this.turns];
    const [moved] = turns.splice(index, 1);
    if (!moved) return;
    turns.splice(index + step, 0, moved);
    this.#reordered(turns);
  }

  setRole(index: number, role: string): void {
    const turn = this.turns[index];
    if (turn) turn.role = role;
    this.typed();
  }

  removeBlock(turn: number, block: number): void {
    const at = this.turns[turn];
    if (at) at.content = at.content.filter((_, index) => index !== block);
    this.typed();
  }

  /** A fix on what is being written; nothing is stored by it. */
  async fix(rule: string): Promise<void> {
    const { dataset, baseModel } = this.#question;
    const position = this.#inserting === null ? (this.#detail?.position ?? null) : null;
    const body = this.body();
    const content = await call('fix_draft', { dataset, position, baseModel: baseModel(), rule, body });
    this.#checked = content;
    this.turns = copy(content.turns);
    this.json = layOut(content.json);
  }

  async #check(): Promise<void> {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    const turn = this.#turn;
    try {
      const { dataset, baseModel } = this.#question;
      const position = this.#inserting === null ? (this.#detail?.position ?? null) : null;
      const content = await call('check_record', {
        dataset,
        position,
        baseModel: baseModel(),
        body: this.body(),
        whole: this.#wanted || this.#face === 'model',
      });
      if (turn === this.#turn) this.#checked = content;
      this.#checkError = null;
    } catch (thrown) {
      if (turn === this.#turn) this.#checkError = toAppError(thrown);
    } finally {
      this.#asking = false;
      if (this.#askAgain) {
        this.#askAgain = false;
        void this.#check();
      } else {
        for (const done of this.#waiting.splice(0)) done();
      }
    }
  }

  /** Waits until what is written was checked, and the record read from it. */
  async #settled(): Promise<void> {
    this.#wanted = true;
    void this.#check();
    await new Promise<void>((done) => this.#waiting.push(done));
    this.#wanted = false;
  }

  #adopt(content: RecordContent): void {
    this.turns = copy(content.turns);
    this.#long = longTexts(content.turns);
    this.#spaced = isSpaced(content.json);
    this.json = content.problem ? content.json : layOut(content.json);
    this.#written = content.problem ? 'json' : 'turns';
  }
}

const LONG = 12_000;

function longTexts(turns: readonly Turn[]): Set<string> {
  return new Set(
    turns.flatMap((turn, index) =>
      turn.content.flatMap((block, at) => (block.text.length > LONG ? [`${index}-${at}`] : [])),
    ),
  );
}

export function textBlock(text: string): Block {
  return { kind: 'text', text, label: null };
}

function emptyTurn(role: string): Turn {
  return { role, content: [textBlock('')] };
}

function copy(turns: readonly Turn[]): Turn[] {
  return turns.map((turn) => ({ role: turn.role, content: turn.content.map((block) => ({ ...block })) }));
}

/** A system prompt that was emptied is no system prompt. */
function cleaned(turns: readonly Turn[]): Turn[] {
  const isEmpty = (turn: Turn): boolean => turn.content.every((block) => block.text === '');
  return copy(turns.filter((turn) => turn.role !== 'system' || !isEmpty(turn)));
}

function sameTurns(a: readonly Turn[], b: readonly Turn[]): boolean {
  return (
    a.length === b.length &&
    a.every((turn, index) => {
      const other = b[index];
      return (
        other !== undefined &&
        turn.role === other.role &&
        turn.content.length === other.content.length &&
        turn.content.every(
          (block, at) => block.kind === other.content[at]?.kind && block.text === other.content[at]?.text,
        )
      );
    })
  );
}
