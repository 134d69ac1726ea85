/**
 * A file on its way to becoming a dataset: chosen, previewed, read as the person says.
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
  PromptTemplate,
  Reading,
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
  #reading = $state.raw<Reading | null>(null);
  #inPlace = $state(false);
  #previewing = $state(false);
  #turn = 0;

  name = $state('');

  get stage(): ImportStage {
    return this.#stage;
  }
  get file(): PickedFile | null {
    return this.#file;
  }
  get preview(): FilePreview | null {
    return this.#preview;
  }
  /** How the file is to be read: as it was detected, with what the person chose instead. */
  get reading(): Reading | null {
    return this.#reading;
  }
  get mapping(): ColumnMapping | null {
    return this.#reading?.template ? null : (this.#reading?.mapping ?? null);
  }
  get template(): PromptTemplate | null {
    return this.#reading?.template ?? null;
  }
  /** Edit the file where it lies. */
  get inPlace(): boolean {
    return this.#inPlace && this.#preview?.inPlace === true;
  }
  /** The preview is of an older reading, and a fresh one is on its way. */
  get previewingAgain(): boolean {
    return this.#previewing;
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

  /** Why the import cannot start yet, in words; null when it can. */
  get obstacle(): string | null {
    if (this.name.trim() === '') return 'Give the dataset a name.';
    if (this.template) {
      if (this.template.prompt.trim() === '' || this.template.completion.trim() === '')
        return 'Write a template for the prompt and one for the completion.';
    } else if (this.mapping) {
      const { prompt, completion, system } = this.mapping;
      if (prompt === '' || completion === '')
        return 'Choose a column for the prompt and one for the completion.';
      if (prompt === completion) return 'Prompt and completion are the same column.';
      if (system !== null && (system === prompt || system === completion)) {
        return 'The system prompt needs a column of its own.';
      }
    }
    return this.#preview?.problem?.message ?? null;
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
      const preview = await call('preview_file', { token: file.token, reading: null });
      if (turn !== this.#turn) return;
      this.name = nameFrom(file.name);
      this.#inPlace = preview.inPlace;
      this.#adopt(preview);
      this.#stage = 'mapping';
    } catch (thrown) {
      if (turn === this.#turn) this.#error = toAppError(thrown);
    }
  }

  /** Reads the beginning of the file another way. What was typed stays, whatever the answer. */
  async read(change: Partial<Reading>): Promise<void> {
    const file = this.#file;
    if (!file || !this.#reading) return;
    const reading: Reading = { ...this.#reading, ...change };
    this.#reading = reading;
    const turn = ++this.#turn;
    this.#previewing = true;
    try {
      const preview = await call('preview_file', { token: file.token, reading });
      if (turn !== this.#turn) return;
      this.#error = null;
      this.#adopt(preview);
    } catch (thrown) {
      if (turn === this.#turn) this.#error = toAppError(thrown);
    } finally {
      if (turn === this.#turn) this.#previewing = false;
    }
  }

  /** Which column becomes what. The records are shown anew once prompt and completion are both chosen. */
  map(change: Partial<ColumnMapping>): void {
    const mapping = { prompt: '', completion: '', system: null, ...this.#reading?.mapping, ...change };
    if (mapping.prompt !== '' && mapping.completion !== '') void this.read({ mapping });
    else if (this.#reading) this.#reading = { ...this.#reading, mapping };
  }

  /** A table becomes records by columns, or by texts that name columns. */
  useTemplate(wanted: boolean): void {
    const mapping = this.#reading?.mapping;
    if (!wanted) return void this.read({ template: null });
    const named = (column: string | null | undefined): string => (column ? `{{${column}}}` : '');
    void this.read({
      template: {
        prompt: named(mapping?.prompt),
        completion: named(mapping?.completion),
        system: mapping?.system ? named(mapping.system) : null,
      },
    });
  }

  setInPlace(wanted: boolean): void {
    this.#inPlace = wanted;
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
        reading: this.#reading,
        inPlace: this.inPlace,
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

  /** Back to the preview; the file stays open. */
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

  #adopt(preview: FilePreview): void {
    this.#preview = preview;
    const reading = preview.reading;
    const needsMapping = preview.columns.length > 0 && !reading.mapping && !reading.template;
    this.#reading = needsMapping
      ? { ...reading, mapping: { prompt: '', completion: '', system: null } }
      : reading;
  }

  #reset(): void {
    this.#stage = 'idle';
    this.#file = null;
    this.#preview = null;
    this.#reading = null;
    this.#inPlace = false;
    this.#previewing = false;
    this.#outcome = null;
    this.#activity = null;
    this.#error = null;
    this.name = '';
  }
}

/** A file's name without its endings: "train.csv.gz" becomes "train". */
export function nameFrom(fileName: string): string {
  return fileName.replace(/(\.(csv|tsv|txt|jsonl?|ndjson|parquet|xlsx|gz|zst))+$/i, '') || fileName;
}

export const importFlow = new ImportFlow();
