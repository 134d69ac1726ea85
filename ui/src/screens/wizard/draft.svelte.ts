/**
 * The job that is being put together. The workbench has it on disk after every change, so that nothing typed is lost;
 * it holds no secret.
 */
import type {
  AppError,
  BaseModel,
  CustomizationType,
  DatasetSummary,
  JobDraft,
  SavedDraft,
} from '../../contract';
import { call, toAppError } from '../../platform';
import { trainingOf } from './trainings';

export const EMPTY_JOB: JobDraft = {
  customizationType: 'fineTuning',
  baseModel: '',
  dataset: '',
  invocationLogs: null,
  hyperparameters: {},
  jobName: '',
  modelName: '',
  teacher: null,
  grader: null,
  approach: null,
  outputUri: null,
  roleArn: null,
  kmsKey: null,
  vpc: null,
  jobTags: [],
  modelTags: [],
};

function fresh(): SavedDraft {
  return {
    id: crypto.randomUUID(),
    changedAt: 0,
    goal: null,
    step: 'goal',
    job: EMPTY_JOB,
    changed: {},
    advanced: false,
    sweep: null,
  };
}

export class WizardDraft {
  #saved = $state.raw<SavedDraft>(fresh());
  #others = $state.raw<SavedDraft[]>([]);
  #loaded = $state(false);
  #error = $state.raw<AppError | null>(null);
  #pending = $state(false);
  #writing = false;

  get id(): string {
    return this.#saved.id;
  }
  /** As the person left it: names that are empty are suggested, hyperparameters are not filled in. */
  get job(): JobDraft {
    return this.#saved.job;
  }
  get goal(): string | null {
    return this.#saved.goal;
  }
  get step(): string {
    return this.#saved.step;
  }
  get advanced(): boolean {
    return this.#saved.advanced;
  }
  get sweep(): SavedDraft['sweep'] {
    return this.#saved.sweep;
  }
  get type(): CustomizationType {
    return this.#saved.job.customizationType;
  }
  /** Other drafts that were left unfinished, the last one first. */
  get others(): readonly SavedDraft[] {
    return this.#others;
  }
  get loaded(): boolean {
    return this.#loaded;
  }
  /** Why the last change is not on disk. */
  get error(): AppError | null {
    return this.#error;
  }
  /** A change is on its way to the disk. */
  get pending(): boolean {
    return this.#pending;
  }
  get empty(): boolean {
    const { goal, job } = this.#saved;
    return goal === null && job.baseModel === '' && job.dataset === '';
  }

  /** Takes up the draft that was changed last. */
  async load(): Promise<void> {
    if (this.#loaded) return;
    try {
      const [last, ...others] = await call('drafts', {});
      // Whoever typed meanwhile keeps what was typed.
      if (last && this.empty) this.#saved = last;
      this.#others = others;
      this.#error = null;
    } catch (thrown) {
      this.#error = toAppError(thrown);
    }
    this.#loaded = true;
  }

  set(change: Partial<Pick<SavedDraft, 'goal' | 'step' | 'advanced' | 'sweep'>>): void {
    this.#save({ ...this.#saved, ...change });
  }

  setJob(change: Partial<JobDraft>): void {
    this.#save({ ...this.#saved, job: { ...this.#saved.job, ...change } });
  }

  /** Another kind of training: what only the former one takes is put away. */
  setType(type: CustomizationType): void {
    const { job } = this.#saved;
    this.setJob({
      customizationType: type,
      teacher: type === 'distillation' ? job.teacher : null,
      grader: type === 'reinforcementFineTuning' ? job.grader : null,
      invocationLogs:
        type === 'distillation' || type === 'reinforcementFineTuning' ? job.invocationLogs : null,
    });
  }

  setModel(model: BaseModel): void {
    const teacher = model.teachers[0];
    this.setJob({
      baseModel: model.id,
      approach: null,
      teacher: this.type === 'distillation' && teacher ? { model: teacher, longestAnswer: 1000 } : null,
    });
    if (this.sweep) this.set({ sweep: null });
  }

  /** What stands in a hyperparameter's field. */
  value(model: BaseModel, key: string): string {
    return this.#changed(model)[key] ?? preset(model, this.type, key);
  }

  isChanged(model: BaseModel, key: string): boolean {
    return this.#changed(model)[key] !== undefined;
  }

  setValue(model: BaseModel, key: string, value: string): void {
    const others = Object.entries(this.#changed(model)).filter(([known]) => known !== key);
    const changed = value === preset(model, this.type, key) ? others : [...others, [key, value]];
    this.#setChanged(model, Object.fromEntries(changed));
  }

  resetValues(model: BaseModel): void {
    this.#setChanged(model, {});
  }

  /** The draft as the workbench takes it. */
  asJob(model: BaseModel, names: { job: string; model: string }): JobDraft {
    const { job } = this.#saved;
    const hyperparameters: Record<string, string> = {};
    for (const { key } of trainingOf(model, this.type).hyperparameters)
      hyperparameters[key] = this.value(model, key).trim();
    return {
      ...job,
      hyperparameters,
      jobName: job.jobName || names.job,
      modelName: job.modelName || names.model,
    };
  }

  /** A draft that comes from elsewhere, a job or a recipe, in the place of an empty one or beside it. */
  take(job: JobDraft, models: readonly BaseModel[], goal: string | null = null): void {
    this.#setAside();
    const model = models.find((one) => one.id === job.baseModel);
    const draft = { ...fresh(), goal, step: 'settings', job: { ...job, hyperparameters: {} } };
    this.#saved = draft;
    const changed = Object.entries(job.hyperparameters).filter(
      ([key, value]) => !model || value !== preset(model, job.customizationType, key),
    );
    this.#save({
      ...draft,
      changed: { [place(job.baseModel, job.customizationType)]: Object.fromEntries(changed) },
    });
  }

  /** Begins anew; what was there is kept among the others. */
  begin(): void {
    this.#setAside();
    this.#saved = fresh();
  }

  /** Goes on with another draft. */
  resume(id: string): void {
    const other = this.#others.find((one) => one.id === id);
    if (!other) return;
    this.#setAside();
    this.#others = this.#others.filter((one) => one.id !== id);
    this.#saved = other;
  }

  /** After a start, or when it is not wanted any more. */
  async remove(): Promise<void> {
    const { id } = this.#saved;
    this.#saved = fresh();
    try {
      await call('delete_draft', { draft: id });
    } catch (thrown) {
      this.#error = toAppError(thrown);
    }
  }

  #setAside(): void {
    if (!this.empty) this.#others = [this.#saved, ...this.#others];
  }

  #changed(model: BaseModel): Record<string, string> {
    return this.#saved.changed[place(model.id, this.type)] ?? {};
  }

  #setChanged(model: BaseModel, values: Record<string, string>): void {
    const changed = { ...this.#saved.changed, [place(model.id, this.type)]: values };
    this.#save({ ...this.#saved, changed });
  }

  #save(saved: SavedDraft): void {
    this.#saved = saved;
    this.#pending = true;
    if (!this.#writing) void this.#write();
  }

  /** One write at a time, and always the latest. */
  async #write(): Promise<void> {
    this.#writing = true;
    let written: SavedDraft | null = null;
    try {
      while (written !== this.#saved) {
        written = this.#saved;
        await call('save_draft', written);
      }
      this.#error = null;
    } catch (thrown) {
      this.#error = toAppError(thrown);
    } finally {
      this.#writing = false;
      this.#pending = false;
    }
  }
}

function place(model: string, type: CustomizationType): string {
  return `${model} ${type}`;
}

function preset(model: BaseModel, type: CustomizationType, key: string): string {
  return trainingOf(model, type).hyperparameters.find((one) => one.key === key)?.default ?? '';
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
