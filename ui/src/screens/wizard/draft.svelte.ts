/** The job that is being put together. Written down at every change, so that nothing typed is lost; it holds no secret. */
import type { BaseModel, DatasetSummary, JobDraft } from '../../contract';
import { remember, remembered } from '../../state/preferences.svelte';

const KEY = 'draft';

interface Saved {
  baseModel: string;
  dataset: string;
  /** What differs from the defaults, by base model, so that trying another model loses nothing. */
  changed: Record<string, Record<string, string>>;
  jobName: string | null;
  modelName: string | null;
  advanced: boolean;
}

const EMPTY: Saved = {
  baseModel: '',
  dataset: '',
  changed: {},
  jobName: null,
  modelName: null,
  advanced: false,
};

export class WizardDraft {
  #saved = $state.raw<Saved>(restore());

  get baseModel(): string {
    return this.#saved.baseModel;
  }
  get dataset(): string {
    return this.#saved.dataset;
  }
  get advanced(): boolean {
    return this.#saved.advanced;
  }
  /** Null while the suggestion stands. */
  get jobName(): string | null {
    return this.#saved.jobName;
  }
  get modelName(): string | null {
    return this.#saved.modelName;
  }
  get empty(): boolean {
    return this.#saved.baseModel === '' && this.#saved.dataset === '';
  }

  set(change: Partial<Omit<Saved, 'changed'>>): void {
    this.#save({ ...this.#saved, ...change });
  }

  /** What stands in a hyperparameter's field. */
  value(model: BaseModel, key: string): string {
    const preset = model.hyperparameters.find((one) => one.key === key)?.default ?? '';
    return this.#saved.changed[model.id]?.[key] ?? preset;
  }

  isChanged(model: BaseModel, key: string): boolean {
    return this.#saved.changed[model.id]?.[key] !== undefined;
  }

  setValue(model: BaseModel, key: string, value: string): void {
    const preset = model.hyperparameters.find((one) => one.key === key)?.default;
    const others = Object.entries(this.#saved.changed[model.id] ?? {}).filter(([known]) => known !== key);
    const mine = Object.fromEntries(value === preset ? others : [...others, [key, value]]);
    this.#save({ ...this.#saved, changed: { ...this.#saved.changed, [model.id]: mine } });
  }

  resetValues(model: BaseModel): void {
    this.#save({ ...this.#saved, changed: { ...this.#saved.changed, [model.id]: {} } });
  }

  /** The draft as the workbench takes it. */
  asJob(model: BaseModel, names: { job: string; model: string }): JobDraft {
    const hyperparameters: Record<string, string> = {};
    for (const { key } of model.hyperparameters) hyperparameters[key] = this.value(model, key).trim();
    return {
      baseModel: model.id,
      dataset: this.#saved.dataset,
      hyperparameters,
      jobName: this.#saved.jobName ?? names.job,
      modelName: this.#saved.modelName ?? names.model,
    };
  }

  /** After a start: the names are used up, the choices may serve again. */
  started(): void {
    this.#save({ ...this.#saved, jobName: null, modelName: null });
  }

  clear(): void {
    this.#save(EMPTY);
  }

  #save(saved: Saved): void {
    this.#saved = saved;
    remember(KEY, JSON.stringify(saved));
  }
}

function restore(): Saved {
  const text = remembered(KEY);
  if (text === null) return EMPTY;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...EMPTY, ...value } : EMPTY;
  } catch {
    return EMPTY;
  }
}

/** What AWS takes in a name: letters, digits and single marks between them, at most 63 characters. */
export function slug(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/[^a-zA-Z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase();
  return plain.slice(0, 40).replace(/-+$/, '') || 'job';
}

/** The first of name-01, name-02 … that is not taken. */
export function nextName(stem: string, taken: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    const name = `${stem}-${String(number).padStart(2, '0')}`;
    if (!taken.includes(name)) return name;
  }
}

export function suggestedNames(
  model: BaseModel | undefined,
  dataset: DatasetSummary | undefined,
  takenJobs: readonly string[],
): { job: string; model: string } {
  const stem = slug([dataset?.name, model?.name].filter(Boolean).join(' '));
  const job = nextName(stem, takenJobs);
  return { job, model: `${job}-model` };
}

export const draft = new WizardDraft();
