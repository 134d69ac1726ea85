/**
 * One model and its conversation. The conversation is a tree: a prompt that is put again, or changed, is a branch beside
 * what was there, and one path through it is shown.
 */
import type { AppError, AppEvent, Attachment, PromptRequest, PromptTurn, Reply } from '../../contract';
import { call, toAppError } from '../../platform';
import { toasts } from '../../state/toasts.svelte';

/** A prompt and what came of it. */
export interface Exchange {
  prompt: string;
  /** What the record answers, when the prompt is one of the hold-out records. */
  expected: string | null;
  attachments: readonly Attachment[];
  system: string | null;
  text: string;
  state: 'running' | 'done' | 'failed';
  reply: Reply | null;
  error: AppError | null;
  /** Until when it waits for a model that cannot answer yet, and why. */
  waiting: { why: string; until: number } | null;
  /** What can follow, and which of it is shown. */
  next: Exchange[];
  chosen: number;
}

/** As it is on disk, where conversations from before there were attachments name none. */
export type KeptExchange = Omit<Exchange, 'attachments'> & Partial<Pick<Exchange, 'attachments'>>;

/** What is asked. */
export type Asked = Pick<Exchange, 'prompt' | 'attachments'>;
export type Question = Asked & Pick<Exchange, 'expected'>;

export type Settings = Omit<PromptRequest, 'request' | 'modelId' | 'turns'>;

let requests = 0;

export class Column {
  modelId = $state('');
  /** Whether the shared prompt goes here, too. */
  inSync = $state(true);
  /** What is typed into a column that was let go. */
  draft = $state('');
  #root = $state<{ next: Exchange[]; chosen: number }>({ next: [], chosen: 0 });
  #request = $state<string | null>(null);
  /** The answer that is under way; it may be on a path that is not shown. */
  #running = $state<Exchange | null>(null);

  get exchanges(): readonly Exchange[] {
    const path: Exchange[] = [];
    for (let at = this.#root.next[this.#root.chosen]; at; at = at.next[at.chosen]) path.push(at);
    return path;
  }
  get busy(): boolean {
    return this.#request !== null;
  }
  get last(): Exchange | null {
    return this.exchanges.at(-1) ?? null;
  }
  get lastReply(): Reply | null {
    return this.last?.reply ?? null;
  }

  choose(modelId: string): void {
    if (modelId === this.modelId) return;
    this.clear();
    this.modelId = modelId;
  }

  /** What the model is reminded of: answered exchanges only, so that turns alternate. */
  #history(before: readonly Exchange[]): PromptTurn[] {
    return before
      .filter((exchange) => exchange.state === 'done' && exchange.text !== '')
      .flatMap((exchange): PromptTurn[] => [
        { role: 'user', text: exchange.prompt, attachments: [...$state.snapshot(exchange.attachments)] },
        { role: 'assistant', text: exchange.text, attachments: [] },
      ]);
  }

  request(
    request: string,
    { prompt, attachments }: Asked,
    settings: Settings,
    before = this.exchanges,
  ): PromptRequest {
    const history = settings.mode === 'completion' ? [] : this.#history(before);
    return {
      ...settings,
      request,
      modelId: this.modelId,
      turns: [...history, { role: 'user', text: prompt, attachments: [...$state.snapshot(attachments)] }],
    };
  }

  async ask(question: Question, settings: Settings): Promise<void> {
    await this.#ask(this.exchanges, question, settings);
  }

  /** The same prompt again, or another in its place, beside what was answered before. */
  async branch(at: number, { prompt, attachments }: Asked, settings: Settings): Promise<void> {
    const path = this.exchanges;
    const old = path[at];
    if (!old || this.busy) return;
    const before = path.slice(0, at);
    if (old.state === 'failed') this.#siblings(before).next.splice(this.#siblings(before).chosen, 1);
    const expected = prompt === old.prompt ? old.expected : null;
    await this.#ask(before, { prompt, expected, attachments }, settings);
  }

  #siblings(before: readonly Exchange[]): { next: Exchange[]; chosen: number } {
    return before.at(-1) ?? this.#root;
  }

  async #ask(before: readonly Exchange[], question: Question, settings: Settings): Promise<void> {
    const siblings = this.#siblings(before);
    siblings.next.push({
      ...question,
      system: settings.system,
      text: '',
      state: 'running',
      reply: null,
      error: null,
      waiting: null,
      next: [],
      chosen: 0,
    });
    siblings.chosen = siblings.next.length - 1;
    const exchange = siblings.next[siblings.chosen];
    if (!exchange) return;
    requests += 1;
    const request = `prompt-${Date.now().toString(36)}-${requests}`;
    this.#request = request;
    this.#running = exchange;
    try {
      const reply = await call('send_prompt', this.request(request, question, settings, before));
      exchange.text = reply.text;
      exchange.reply = reply;
      exchange.state = 'done';
    } catch (thrown) {
      exchange.error = toAppError(thrown);
      exchange.state = 'failed';
    } finally {
      exchange.waiting = null;
      if (this.#request === request) {
        this.#request = null;
        this.#running = null;
      }
    }
  }

  /** How many answers stand at this place, and which is shown. */
  branches(at: number): { count: number; chosen: number } {
    const siblings = this.#siblings(this.exchanges.slice(0, at));
    return { count: siblings.next.length, chosen: siblings.chosen };
  }

  turnTo(at: number, chosen: number): void {
    const siblings = this.#siblings(this.exchanges.slice(0, at));
    if (chosen >= 0 && chosen < siblings.next.length) siblings.chosen = chosen;
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
    const exchange = this.#running;
    if (exchange?.state !== 'running' || !('request' in event) || event.request !== this.#request) return;
    if (event.event === 'replyText') {
      exchange.waiting = null;
      exchange.text += event.text;
    } else if (event.event === 'replyWaits') {
      exchange.waiting = { why: event.why, until: event.until };
    }
  }

  clear(): void {
    void this.stop();
    this.#root = { next: [], chosen: 0 };
    this.#request = null;
    this.#running = null;
  }

  /** The path that is shown, as it is kept. */
  kept(): Exchange[] {
    return this.exchanges
      .filter((one) => one.state === 'done')
      .map((one) => ({ ...$state.snapshot(one), next: [], chosen: 0 }));
  }

  restore(modelId: string, exchanges: readonly KeptExchange[]): void {
    this.modelId = modelId;
    const root: { next: Exchange[]; chosen: number } = { next: [], chosen: 0 };
    let at = root;
    for (const exchange of exchanges) {
      const { attachments = [] } = exchange;
      const copy: Exchange = { ...exchange, attachments, next: [], chosen: 0 };
      at.next.push(copy);
      at = copy;
    }
    this.#root = root;
  }
}
