/** One job as it goes: read again whenever the workbench says that it moved. */
import type { JobDetail } from '../../contract';
import { call, toAppError } from '../../platform';
import { Resource } from '../../state/resource.svelte';
import { toasts } from '../../state/toasts.svelte';

export type Action = 'stop' | 'deploy' | 'notes';

export class JobView {
  readonly detail: Resource<JobDetail>;
  #id: string;
  #acting = $state<Action | null>(null);
  /** Counts the news, so that the chart knows when to be drawn again. */
  #news = $state(0);

  constructor(id: string) {
    this.#id = id;
    this.detail = new Resource(() => call('job', { job: id }));
  }

  get id(): string {
    return this.#id;
  }
  get acting(): Action | null {
    return this.#acting;
  }
  get news(): number {
    return this.#news;
  }

  async refresh(): Promise<void> {
    await this.detail.reload();
    this.#news += 1;
  }

  async stop(): Promise<boolean> {
    return this.#act('stop', () => call('stop_job', { job: this.#id }), 'The job was not stopped');
  }

  async deploy(): Promise<boolean> {
    return this.#act('deploy', () => call('deploy', { job: this.#id }), 'The model was not deployed');
  }

  async saveNotes(notes: string): Promise<boolean> {
    return this.#act('notes', () => call('save_notes', { job: this.#id, notes }), 'The notes were not saved');
  }

  async #act(action: Action, send: () => Promise<JobDetail>, refused: string): Promise<boolean> {
    this.#acting = action;
    try {
      this.detail.set(await send());
      this.#news += 1;
      return true;
    } catch (thrown) {
      toasts.error(toAppError(thrown), refused);
      return false;
    } finally {
      this.#acting = null;
    }
  }
}
