/**
 * The playground: one prompt to up to four models, each with its own conversation. Kept while the window is open, so that
 * going elsewhere loses nothing; the conversations are on disk, too.
 */
import type { AppEvent, HoldOutPrompt, PlayableModel, PromptFrame } from '../../contract';
import { call, toAppError } from '../../platform';
import { Resource } from '../../state/resource.svelte';
import { toasts } from '../../state/toasts.svelte';
import { whyNothing } from './attachment-words';
import { Attachments } from './attachments.svelte';
import { Column, type Asked, type Question } from './column.svelte';
import { History } from './history.svelte';
import { readSchema } from './json-schema';
import { PRESETS, type Mode, type Parameters } from './parameters';

export const MOST_COLUMNS = 4;

export class Playground {
  #columns = $state<Column[]>([new Column(), new Column()]);
  readonly models = new Resource<PlayableModel[]>(() => call('playable_models', {}));
  readonly history = new History();
  parameters = $state<Parameters>({ ...PRESETS.exact.parameters, stopSequences: [] });
  mode = $state<Mode>('chat');
  prompt = $state('');
  readonly attached = new Attachments(() => ({ models: this.#askedModels, mode: this.mode }));
  /** What answers are held to, as it was typed; empty for nothing. It is not sent. */
  schemaText = $state('');
  readonly schema = $derived(readSchema(this.schemaText));
  #frame = $state.raw<{ dataset: string; frame: PromptFrame } | null>(null);
  #holdOut = $state.raw<HoldOutPrompt | null>(null);
  #holdOutIndex = 0;
  #fetching = $state(false);

  get columns(): readonly Column[] {
    return this.#columns;
  }
  /** The hold-out record that stands in the composer; null once its prompt was changed. */
  get holdOut(): HoldOutPrompt | null {
    return this.#holdOut?.prompt === this.prompt ? this.#holdOut : null;
  }
  get fetchingHoldOut(): boolean {
    return this.#fetching;
  }
  get busy(): boolean {
    return this.#columns.some((column) => column.busy);
  }
  get empty(): boolean {
    return this.#columns.every((column) => column.exchanges.length === 0);
  }
  /** Those that the prompt below goes to. */
  get asked(): Column[] {
    return this.#columns.filter((column) => column.modelId !== '' && column.inSync);
  }
  get #askedModels(): PlayableModel[] {
    return this.asked.flatMap((column) => this.model(column.modelId) ?? []);
  }
  /** Why nothing can be attached to the prompt; null when something can. */
  get nothingAttachable(): string | null {
    return whyNothing(this.#askedModels, this.mode);
  }
  /** Whether there is a prompt, and somebody whom it can go to as it stands. */
  get ready(): boolean {
    const complete = this.prompt.trim() !== '' && this.asked.length > 0 && !this.attached.busy;
    return complete && this.attached.obstacle === null;
  }
  /** What all training prompts of the tuned model's dataset have in common; null while it is not known. */
  get frame(): PromptFrame | null {
    return this.#frame?.dataset === this.holdOutDataset ? (this.#frame?.frame ?? null) : null;
  }

  model(id: string): PlayableModel | undefined {
    return this.models.value?.find((model) => model.modelId === id);
  }

  /** The dataset whose hold-out records none of the chosen models was trained on. */
  get holdOutDataset(): string | null {
    const tuned = this.#columns.map((column) => this.model(column.modelId)?.dataset ?? null);
    return tuned.findLast((dataset) => dataset !== null) ?? null;
  }

  /** Loads the models and fills columns that stand empty: the newest tuned model at the right of its base. */
  async open(job: string | null): Promise<void> {
    await this.models.reload();
    const models = this.models.value ?? [];
    const [left, right] = this.#columns;
    if (!left || !right) return;
    const known = (id: string): boolean => models.some((model) => model.modelId === id);
    const tuned = models.filter((model) => model.kind === 'tuned');
    const asked = job === null ? undefined : tuned.findLast((model) => model.job === job);
    if (asked) {
      left.choose(this.#baseOf(asked));
      right.choose(asked.modelId);
      if (this.prompt === '') await this.takeHoldOut();
      return;
    }
    const newest = tuned.at(-1);
    if (!known(right.modelId)) right.choose(newest?.modelId ?? '');
    if (!known(left.modelId)) {
      left.choose(
        newest ? this.#baseOf(newest) : (models.find((model) => model.kind === 'base')?.modelId ?? ''),
      );
    }
  }

  #baseOf(tuned: PlayableModel): string {
    const bases = (this.models.value ?? []).filter((model) => model.kind === 'base');
    return (bases.find((model) => model.baseModel === tuned.baseModel) ?? bases[0])?.modelId ?? '';
  }

  addColumn(): void {
    if (this.#columns.length < MOST_COLUMNS) this.#columns.push(new Column());
  }

  removeColumn(column: Column): void {
    if (this.#columns.length < 2) return;
    column.clear();
    this.#columns = this.#columns.filter((one) => one !== column);
  }

  async setMode(mode: Mode): Promise<void> {
    this.mode = mode;
    const dataset = this.holdOutDataset;
    if (mode !== 'asTrained' || dataset === null || this.frame) return;
    try {
      this.#frame = { dataset, frame: await call('prompt_frame', { dataset }) };
    } catch (thrown) {
      toasts.error(toAppError(thrown), 'The training prompts could not be looked at');
    }
  }

  /** Puts the next hold-out prompt into the composer. */
  async takeHoldOut(): Promise<void> {
    const dataset = this.holdOutDataset;
    if (dataset === null || this.#fetching) return;
    this.#fetching = true;
    try {
      const taken = await call('hold_out_prompt', { dataset, index: this.#holdOutIndex });
      if (taken) {
        this.#holdOutIndex += 1;
        this.#holdOut = taken;
        this.prompt = taken.prompt;
      } else {
        toasts.show(
          'note',
          'The dataset has no hold-out records',
          'Split it with a hold-out share to have some.',
        );
      }
    } catch (thrown) {
      toasts.error(toAppError(thrown), 'No hold-out prompt');
    } finally {
      this.#fetching = false;
    }
  }

  /** A prompt as a model is to be asked it: within the frame of its training, where that is wanted. */
  framed(text: string): { prompt: string; system: string | null } {
    const system = this.parameters.system.trim() === '' ? null : this.parameters.system;
    const frame = this.frame;
    if (this.mode !== 'asTrained' || !frame) return { prompt: text, system };
    const whole = text.startsWith(frame.before) && text.endsWith(frame.after);
    return { prompt: whole ? text : frame.before + text + frame.after, system: frame.system ?? system };
  }

  /** The same prompt to every column in sync that has a model. */
  async send(): Promise<void> {
    if (!this.ready || this.busy) return;
    const expected = this.holdOut?.completion ?? null;
    const question = { prompt: this.prompt, expected, attachments: this.attached.takeAll() };
    this.prompt = '';
    this.#holdOut = null;
    await Promise.all(this.asked.map((column) => this.#ask(column, question)));
  }

  /** A prompt for one column alone, which is text alone. */
  async askOne(column: Column, prompt: string): Promise<void> {
    await this.#ask(column, { prompt, expected: null, attachments: [] });
  }

  async #ask(column: Column, question: Question): Promise<void> {
    const { prompt, system } = this.framed(question.prompt);
    await column.ask({ ...question, prompt }, this.#settings(column, system));
    await this.history.keep(this.#columns, this.mode, this.models.value ?? []);
  }

  /** Puts a prompt again, or another in its place; what was answered before stays as a branch. */
  async branch(column: Column, at: number, asked: Asked): Promise<void> {
    await column.branch(at, asked, this.#settings(column, this.framed('').system));
    await this.history.keep(this.#columns, this.mode, this.models.value ?? []);
  }

  #settings(column: Column, system: string | null) {
    const takes = this.model(column.modelId)?.takes;
    return {
      mode: this.mode === 'completion' ? ('completion' as const) : ('chat' as const),
      system: takes?.system === false || this.mode === 'completion' ? null : system,
      temperature: this.parameters.temperature,
      topP: this.parameters.topP,
      topK: takes?.topK && this.mode !== 'completion' ? this.parameters.topK : null,
      maxTokens: this.parameters.maxTokens,
      stopSequences:
        takes?.stopSequences === false || this.mode === 'completion'
          ? []
          : [...this.parameters.stopSequences],
    };
  }

  /** The request that a column's next prompt would make; while nothing is typed, its last one again. */
  requestOf(column: Column) {
    const mine = column.inSync && this.attached.obstacle === null ? this.attached.all : [];
    const typed = { prompt: this.prompt, attachments: mine };
    const question = this.prompt === '' ? (column.last ?? { ...typed, prompt: 'Hello' }) : typed;
    const { prompt, system } = this.framed(question.prompt);
    return column.request(
      'code',
      { prompt, attachments: question.attachments },
      this.#settings(column, system),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#columns.map((column) => column.stop()));
  }

  hear(event: AppEvent): void {
    for (const column of this.#columns) column.hear(event);
    const other = event.event === 'connectionChanged' && event.connection.current;
    if (event.event === 'jobsChanged' || event.event === 'modelsChanged' || other) void this.models.reload();
  }

  clear(): void {
    for (const column of this.#columns) column.clear();
    this.history.startAnew();
  }

  /** Brings a kept conversation back, with the models that are still there. */
  restore(id: string): void {
    const kept = this.history.open(id);
    if (!kept) return;
    for (const column of this.#columns) column.clear();
    this.mode = kept.mode;
    this.#columns = kept.columns.map((one) => {
      const column = new Column();
      column.restore(this.model(one.modelId) ? one.modelId : '', one.exchanges);
      return column;
    });
  }
}

export const playground = new Playground();
