/** Conversations on disk: kept after each answer, found again by what was said, opened and deleted. */
import type { Conversation, PlayableModel } from '../../contract';
import { call, toAppError } from '../../platform';
import { Resource } from '../../state/resource.svelte';
import { toasts } from '../../state/toasts.svelte';
import type { Column, KeptExchange } from './column.svelte';
import type { Mode } from './parameters';

export interface Kept {
  mode: Mode;
  columns: { modelId: string; name: string; exchanges: KeptExchange[] }[];
}

const LONGEST_TITLE = 80;
const newId = (): string => `c-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;

export class History {
  search = $state('');
  #id = newId();
  readonly list = new Resource<Conversation[]>(() =>
    call('conversations', { text: this.search.trim() === '' ? null : this.search }),
  );

  startAnew(): void {
    this.#id = newId();
  }

  async keep(columns: readonly Column[], mode: Mode, models: readonly PlayableModel[]): Promise<void> {
    const kept: Kept = {
      mode,
      columns: columns.map((column) => ({
        modelId: column.modelId,
        name: models.find((model) => model.modelId === column.modelId)?.name ?? '',
        exchanges: column.kept(),
      })),
    };
    const first = kept.columns.flatMap((column) => column.exchanges)[0];
    if (!first) return;
    const title = first.prompt.trim().split('\n')[0]?.slice(0, LONGEST_TITLE) ?? '';
    try {
      await call('save_conversation', { id: this.#id, title, changedAt: 0, document: JSON.stringify(kept) });
    } catch (thrown) {
      toasts.error(toAppError(thrown), 'The conversation was not kept');
    }
  }

  /** Null where it cannot be read as one. */
  open(id: string): Kept | null {
    const found = this.list.value?.find((one) => one.id === id);
    if (!found) return null;
    try {
      const kept = JSON.parse(found.document) as Kept;
      this.#id = id;
      return kept;
    } catch {
      toasts.show('error', 'This conversation cannot be read');
      return null;
    }
  }

  async forget(id: string): Promise<void> {
    try {
      await call('delete_conversation', { conversation: id });
      if (id === this.#id) this.startAnew();
      await this.list.reload();
    } catch (thrown) {
      toasts.error(toAppError(thrown), 'The conversation was not deleted');
    }
  }
}
