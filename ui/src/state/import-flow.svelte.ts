/**
 * A file on its way to becoming a dataset: chosen, previewed, mapped, read.
 *
 * Shared because a file may come from Home, from the Datasets screen, from the desktop or by dropping.
 */
import type {
  Activity,
  AppError,
  ColumnMapping,
  DatasetSummary,
  FilePreview,
  ImportOutcome,
  PickedFile,
} from '../contract';
import { call, toAppError } from '../platform';

export type ImportStage = 'idle' | 'previewing' | 'mapping' | 'importing' | 'broken';

class ImportFlow {
  #stage = $state<ImportStage>('idle');
  #file = $state.raw<PickedFile | null>(null);
  #preview = $state.raw<FilePreview | null>(null);
  #outcome = $state.raw<ImportOutcome | null>(null);
  #activity = $state.raw<Activity | null>(null);
  #error = $state.raw<AppError | null>(null);
  #turn = 0;

  name = $state('');
  mapping = $state<ColumnMapping | null>(null);

  get stage(): ImportStage {
    return this.#stage;
  }
  get file(): PickedFile | null {
    return this.#file;
  }
  get preview(): FilePreview | null {
    return this.#preview;
  }
  /** What stands in the way, while the stage is `broken`. */
  get outcome(): ImportOutcome | null {
    return this.#outcome;
  }
  get activity(): Activity | null {
    return this.#activity;
  }
  get error(): AppError | null {
    return this.#error;
  }

  /** Where the sample's columns of the present mapping stand; null where the format knows its fields. */
  get columns(): { prompt: number; completion: number; system: number } {
    const names = this.#preview?.columns ?? [];
    if (!this.mapping || names.length === 0) return { prompt: 0, completion: 1, system: -1 };
    return {
      prompt: names.indexOf(this.mapping.prompt),
      completion: names.indexOf(this.mapping.completion),
      system: this.mapping.system === null ? -1 : names.indexOf(this.mapping.system),
    };
  }

  /** Why the import cannot start yet, in words; null when it can. */
  get obstacle(): string | null {
    if (this.name.trim() === '') return 'Give the dataset a name.';
    if (this.mapping) {
      const { prompt, completion, system } = this.mapping;
      if (prompt === '' || completion === '')
        return 'Choose a column for the prompt and one for the completion.';
      if (prompt === completion) return 'Prompt and completion are the same column.';
      if (system !== null && (system === prompt || system === completion)) {
        return 'The system prompt needs a column of its own.';
      }
    }
    return null;
  }

  /** Opens the desktop's dialog. Answers whether a file was chosen. */
  async pick(): Promise<boolean> {
    const file = await call('pick_file', {});
    if (!file) return false;
    void this.open(file);
    return true;
  }

  async open(file: PickedFile): Promise<void> {
    const turn = ++this.#turn;
    this.#reset();
    this.#file = file;
    this.#stage = 'previewing';
    try {
      const preview = await call('preview_file', { token: file.token });
      if (turn !== this.#turn) return;
      this.#preview = preview;
      this.name = nameFrom(file.name);
      this.mapping =
        preview.mapping ?? (preview.columns.length > 0 ? { prompt: '', completion: '', system: null } : null);
      this.#stage = 'mapping';
    } catch (thrown) {
      if (turn === this.#turn) this.#error = toAppError(thrown);
    }
  }

  /** Reads the file. Answers the dataset, or null when lines stand in the way, it failed, or it was cancelled. */
  async run(skipBroken: boolean): Promise<DatasetSummary | null> {
    const file = this.#file;
    if (!file || this.obstacle) return null;
    const turn = ++this.#turn;
    this.#stage = 'importing';
    this.#error = null;
    this.#activity = null;
    try {
      const outcome = await call('import_dataset', {
        token: file.token,
        name: this.name.trim(),
        mapping: this.mapping ? { ...this.mapping } : null,
        skipBroken,
      });
      if (turn !== this.#turn) return null;
      if (outcome.dataset) {
        this.#reset();
        return outcome.dataset;
      }
      this.#outcome = outcome;
      this.#stage = 'broken';
    } catch (thrown) {
      if (turn !== this.#turn) return null;
      const error = toAppError(thrown);
      this.#error = error.code === 'cancelled' ? null : error;
      this.#stage = this.#outcome ? 'broken' : 'mapping';
    }
    return null;
  }

  /** Back to the columns; the file stays open. */
  back(): void {
    this.#outcome = null;
    this.#error = null;
    this.#stage = this.#preview ? 'mapping' : 'idle';
  }

  close(): void {
    this.#turn += 1;
    this.#reset();
  }

  /** The first activity that begins while the file is read is the reading. */
  follow(activity: Activity): void {
    if (this.#stage !== 'importing') return;
    const unknown = this.#activity === null && activity.state === 'running';
    if (unknown || this.#activity?.id === activity.id) this.#activity = activity;
  }

  #reset(): void {
    this.#stage = 'idle';
    this.#file = null;
    this.#preview = null;
    this.#outcome = null;
    this.#activity = null;
    this.#error = null;
    this.name = '';
    this.mapping = null;
  }
}

/** A file's name without its endings: "train.csv" becomes "train". */
export function nameFrom(fileName: string): string {
  return fileName.replace(/(\.(csv|tsv|txt|jsonl?|ndjson|gz))+$/i, '') || fileName;
}

export const importFlow = new ImportFlow();
