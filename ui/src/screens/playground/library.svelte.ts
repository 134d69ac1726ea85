/** The prompt library as one looks at it: found by what it says, used with its variables filled in, saved as versions. */
import { SvelteMap } from 'svelte/reactivity';

import type { AppError, LibraryPrompt } from '../../contract';
import { call, toAppError } from '../../platform';
import { Resource } from '../../state/resource.svelte';
import { toasts } from '../../state/toasts.svelte';
import { fill, variables } from './placeholders';

/** A prompt that is being written; without an id it is a new one. */
export interface PromptDraft {
  id: string | null;
  name: string;
  text: string;
  system: string;
}

export class Library {
  search = $state('');
  draft = $state<PromptDraft | null>(null);
  busy = $state(false);
  error = $state.raw<AppError | null>(null);
  #chosen = $state.raw<LibraryPrompt | null>(null);
  #versions = $state.raw<LibraryPrompt[]>([]);
  readonly values = new SvelteMap<string, string>();
  readonly list = new Resource<LibraryPrompt[]>(() =>
    call('prompts', { text: this.search.trim() === '' ? null : this.search }),
  );

  get chosen(): LibraryPrompt | null {
    return this.#chosen;
  }
  /** The older ones, newest first. */
  get older(): LibraryPrompt[] {
    return this.#versions.filter((one) => one.version !== this.#chosen?.version);
  }
  get variables(): string[] {
    return this.#chosen ? variables(this.#chosen.system ?? '', this.#chosen.text) : [];
  }
  /** The chosen prompt as it would be sent. */
  get filled(): { text: string; system: string | null } {
    const { text, system } = this.#chosen ?? { text: '', system: null };
    return { text: fill(text, this.values), system: system === null ? null : fill(system, this.values) };
  }
  get complete(): boolean {
    return this.variables.every((name) => (this.values.get(name) ?? '').trim() !== '');
  }

  async choose(prompt: LibraryPrompt): Promise<void> {
    this.values.clear();
    await this.#show(prompt);
  }

  async #show(prompt: LibraryPrompt): Promise<void> {
    this.draft = null;
    this.error = null;
    this.#versions = [prompt];
    this.#chosen = prompt;
    await this.#attempt(async () => {
      const versions = await call('prompt_versions', { id: prompt.id });
      if (this.#chosen?.id === prompt.id) this.#versions = versions;
    });
  }

  async back(): Promise<void> {
    this.draft = null;
    this.error = null;
    this.#chosen = null;
    await this.list.reload();
  }

  /** Begins a new prompt with what stands in the composer. */
  begin(text: string, system: string): void {
    this.error = null;
    this.#chosen = null;
    this.draft = { id: null, name: '', text, system };
  }

  edit(): void {
    const chosen = this.#chosen;
    if (chosen) {
      this.draft = { id: chosen.id, name: chosen.name, text: chosen.text, system: chosen.system ?? '' };
    }
  }

  async save(): Promise<void> {
    const draft = this.draft;
    if (!draft) return;
    await this.#attempt(async () => {
      const system = draft.system.trim() === '' ? null : draft.system;
      await this.#show(await call('save_prompt', { ...draft, system }));
    });
  }

  async restore(version: number): Promise<void> {
    const chosen = this.#chosen;
    if (!chosen) return;
    await this.#attempt(async () => {
      const restored = await call('restore_prompt', { id: chosen.id, version });
      toasts.show('ok', `Version ${version} is back`, `It is version ${restored.version} now.`);
      await this.#show(restored);
    });
  }

  async forget(prompt: LibraryPrompt): Promise<void> {
    await this.#attempt(async () => {
      await call('delete_prompt', { id: prompt.id });
      await this.list.reload();
    });
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.error = null;
    try {
      await work();
    } catch (thrown) {
      this.error = toAppError(thrown);
    } finally {
      this.busy = false;
    }
  }
}
