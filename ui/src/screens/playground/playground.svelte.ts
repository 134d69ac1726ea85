/**
 * The playground: one prompt to two models, each with its own conversation. Kept while the window is open, so that
 * going elsewhere loses nothing.
 */
import type { AppError, AppEvent, HoldOutPrompt, PlayableModel, Reply, PromptTurn } from '../../contract';
import { call, toAppError } from '../../platform';
import { Resource } from '../../state/resource.svelte';
import { toasts } from '../../state/toasts.svelte';

/** A prompt and what came of it. */
export interface Exchange {
  prompt: string;
  /** What the record answers, when the prompt is one of the hold-out records. */
  expected: string | null;
  text: string;
  state: 'running' | 'done' | 'failed';
  reply: Reply | null;
  error: AppError | null;
}

let requests = 0;

export class Column {
  modelId = $state('');
  #exchanges = $state<Exchange[]>([]);
  #request = $state<string | null>(null);

  get exchanges(): readonly Exchange[] {
    return this.#exchanges;
  }
  get busy(): boolean {
    return this.#request !== null;
  }
  get lastReply(): Reply | null {
    return this.#exchanges.at(-1)?.reply ?? null;
  }

  choose(modelId: string): void {
    if (modelId === this.modelId) return;
    void this.stop();
    this.modelId = modelId;
    this.#exchanges = [];
  }

  /** What the model is reminded of: answered exchanges only, so that turns alternate. */
  #history(): PromptTurn[] {
    return this.#exchanges
      .filter((exchange) => exchange.state === 'done' && exchange.text !== '')
      .flatMap((exchange): PromptTurn[] => [
        { role: 'user', text: exchange.prompt },
        { role: 'assistant', text: exchange.text },
      ]);
  }

  async ask(prompt: string, expected: string | null, parameters: Parameters): Promise<void> {
    const turns: PromptTurn[] = [...this.#history(), { role: 'user', text: prompt }];
    this.#exchanges.push({ prompt, expected, text: '', state: 'running', reply: null, error: null });
    const exchange = this.#exchanges.at(-1);
    if (!exchange) return;
    requests += 1;
    const request = `prompt-${Date.now().toString(36)}-${requests}`;
    this.#request = request;
    try {
      const reply = await call('send_prompt', {
        request,
        modelId: this.modelId,
        system: parameters.system.trim() === '' ? null : parameters.system,
        turns,
        temperature: parameters.temperature,
        topP: parameters.topP,
        maxTokens: parameters.maxTokens,
        stopSequences: [...parameters.stopSequences],
      });
      exchange.text = reply.text;
      exchange.reply = reply;
      exchange.state = 'done';
    } catch (thrown) {
      exchange.error = toAppError(thrown);
      exchange.state = 'failed';
    } finally {
      if (this.#request === request) this.#request = null;
    }
  }

  /** Puts the last prompt again. */
  async retry(parameters: Parameters): Promise<void> {
    const last = this.#exchanges.at(-1);
    if (!last || this.busy) return;
    this.#exchanges.pop();
    await this.ask(last.prompt, last.expected, parameters);
  }

  async stop(): Promise<void> {
    const request = this.#request;
    if (request === null) return;
    try {
      await call('cancel_prompt', { request });
    } catch (thrown) {
      toasts.error(toAppError(thrown), 'The answer was not stopped');
    }
  }

  hear(event: AppEvent): void {
    if (event.event !== 'replyText' || event.request !== this.#request) return;
    const exchange = this.#exchanges.at(-1);
    if (exchange?.state === 'running') exchange.text += event.text;
  }

  clear(): void {
    void this.stop();
    this.#exchanges = [];
    this.#request = null;
  }
}

export interface Parameters {
  system: string;
  temperature: number;
  topP: number;
  maxTokens: number;
  stopSequences: string[];
}

export const PRESET: Parameters = { system: '', temperature: 0, topP: 1, maxTokens: 200, stopSequences: [] };

export class Playground {
  readonly columns: readonly [Column, Column] = [new Column(), new Column()];
  readonly models = new Resource<PlayableModel[]>(() => call('playable_models', {}));
  parameters = $state<Parameters>({ ...PRESET, stopSequences: [] });
  prompt = $state('');
  #holdOut = $state.raw<HoldOutPrompt | null>(null);
  #holdOutIndex = 0;
  #fetching = $state(false);

  /** The hold-out record that stands in the composer; null once its prompt was changed. */
  get holdOut(): HoldOutPrompt | null {
    return this.#holdOut?.prompt === this.prompt ? this.#holdOut : null;
  }
  get fetchingHoldOut(): boolean {
    return this.#fetching;
  }
  get busy(): boolean {
    return this.columns.some((column) => column.busy);
  }
  get empty(): boolean {
    return this.columns.every((column) => column.exchanges.length === 0);
  }
  get asked(): Column[] {
    return this.columns.filter((column) => column.modelId !== '');
  }

  model(id: string): PlayableModel | undefined {
    return this.models.value?.find((model) => model.modelId === id);
  }

  /** The dataset whose hold-out records none of the chosen models was trained on. */
  get holdOutDataset(): string | null {
    const tuned = this.columns.map((column) => this.model(column.modelId)?.dataset ?? null);
    return tuned.findLast((dataset) => dataset !== null) ?? null;
  }

  /** Loads the models and fills columns that stand empty: the newest tuned model at the right of its base. */
  async open(job: string | null): Promise<void> {
    await this.models.reload();
    const models = this.models.value ?? [];
    const [left, right] = this.columns;
    const known = (id: string): boolean => models.some((model) => model.modelId === id);
    const tuned = models.filter((model) => model.kind === 'tuned');
    const asked = job === null ? undefined : tuned.find((model) => model.job === job);
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
    const own = bases.find(
      (model) => model.modelId === tuned.baseModel || model.baseModel === tuned.baseModel,
    );
    return (own ?? bases[0])?.modelId ?? '';
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

  /** The same prompt to every column that has a model. */
  async send(): Promise<void> {
    const prompt = this.prompt;
    if (prompt.trim() === '' || this.busy || this.asked.length === 0) return;
    const expected = this.holdOut?.completion ?? null;
    this.prompt = '';
    this.#holdOut = null;
    await Promise.all(this.asked.map((column) => column.ask(prompt, expected, this.parameters)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.columns.map((column) => column.stop()));
  }

  hear(event: AppEvent): void {
    for (const column of this.columns) column.hear(event);
    if (event.event === 'jobsChanged' || event.event === 'connectionChanged') void this.models.reload();
  }

  clear(): void {
    for (const column of this.columns) column.clear();
  }
}

/** Tokens a second after the first one; null where it cannot be told. */
export function tokensPerSecond(reply: Reply): number | null {
  if (reply.outputTokens === null || reply.outputTokens < 2 || reply.firstTokenMs === null) return null;
  const milliseconds = reply.totalMs - reply.firstTokenMs;
  return milliseconds > 0 ? ((reply.outputTokens - 1) * 1000) / milliseconds : null;
}

/** Whether an answer says what the record says, apart from white space around it. */
export function sameAnswer(text: string, expected: string): boolean {
  return text.trim() === expected.trim();
}

/** A stop reason in words. */
export function stopWords(reason: string): string {
  const words: Record<string, string> = {
    end_turn: 'ended by itself',
    max_tokens: 'cut at max tokens',
    stop_sequence: 'stop sequence met',
    cancelled: 'stopped by you',
  };
  return words[reason] ?? reason.replaceAll('_', ' ');
}

export const playground = new Playground();
