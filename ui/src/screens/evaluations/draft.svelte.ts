/** An evaluation as it is put together: which records, which models, how they are asked. */
import type {
  Candidate,
  EvaluationDraft,
  EvaluationPart,
  EvaluationPlan,
  PlayableModel,
} from '../../contract';
import { call } from '../../platform';
import { app } from '../../state/app.svelte';
import { Resource } from '../../state/resource.svelte';

/** Enough for the form of an answer to be seen, few enough for a small model's context. */
const USUAL_EXAMPLES = 4;

export interface Row {
  key: number;
  modelId: string;
  /** A model id that is typed in, where it is none of the list. */
  other: boolean;
  examples: string;
  system: string;
}

/** A metric of one's own, as it is typed. */
export interface MeasureRow {
  key: number;
  name: string;
  expression: string;
}

let keys = 0;

export class Draft {
  name = $state('');
  dataset = $state('');
  part = $state<EvaluationPart>('holdOut');
  records = $state('');
  maxTokens = $state('256');
  temperature = $state('0');
  seed = $state('1');
  metric = $state('');
  rows = $state<Row[]>([]);
  measures = $state<MeasureRow[]>([]);
  readonly models = new Resource<PlayableModel[]>(() => call('playable_models', {}));
  readonly plan = new Resource<EvaluationPlan>(() => call('plan_evaluation', this.request()));

  /** Begins with what most people want to know of a job: did it help, and would examples have done? */
  async open(job: string | null): Promise<void> {
    await Promise.all([this.models.reload(), app.datasets.value ?? app.datasets.reload()]);
    const models = this.models.value ?? [];
    const tuned =
      models.find((one) => job !== null && one.job === job) ?? models.find((one) => one.kind === 'tuned');
    const base = models.find((one) => one.kind === 'base' && (!tuned || one.baseModel === tuned.baseModel));
    if (base) {
      this.add(base.modelId);
      this.add(base.modelId, USUAL_EXAMPLES);
    }
    if (tuned) this.add(tuned.modelId);
    while (this.rows.length < 2) this.add('');
    const datasets = app.datasets.value ?? [];
    const dataset =
      datasets.find((one) => one.id === tuned?.dataset) ?? datasets.find((one) => one.split) ?? datasets[0];
    if (dataset) this.choose(dataset.id);
    this.name = tuned ? `${tuned.name} on ${dataset?.name ?? 'hold-out'}` : '';
  }

  choose(dataset: string): void {
    this.dataset = dataset;
    const split = app.datasets.value?.find((one) => one.id === dataset)?.split ?? null;
    this.part =
      split === null
        ? 'all'
        : split.holdOut > 0
          ? 'holdOut'
          : split.validation > 0
            ? 'validation'
            : 'training';
  }

  add(modelId: string, examples = 0): void {
    keys += 1;
    this.rows.push({ key: keys, modelId, other: false, examples: String(examples), system: '' });
  }

  addMeasure(): void {
    keys += 1;
    this.measures.push({ key: keys, name: `Own ${this.measures.length + 1}`, expression: '' });
  }

  remove(key: number): void {
    this.rows = this.rows.filter((row) => row.key !== key);
  }

  /** To the front: the others are compared with it. */
  first(key: number): void {
    const row = this.rows.find((one) => one.key === key);
    if (row) this.rows = [row, ...this.rows.filter((one) => one.key !== key)];
  }

  candidate(row: Row): Candidate {
    const model = row.other ? undefined : this.models.value?.find((one) => one.modelId === row.modelId);
    return {
      modelId: row.modelId.trim(),
      name: model?.name ?? row.modelId.trim(),
      baseModel: model?.baseModel ?? null,
      tuned: model?.kind === 'tuned',
      standIn: model?.standIn ?? false,
      examples: whole(row.examples) ?? 0,
      system: row.system.trim() === '' ? null : row.system,
    };
  }

  request(): EvaluationDraft {
    return {
      name: this.name.trim(),
      dataset: this.dataset,
      part: this.part,
      records: this.records.trim() === '' ? null : (whole(this.records) ?? 0),
      seed: whole(this.seed) ?? 1,
      candidates: this.rows.map((row) => this.candidate(row)),
      maxTokens: whole(this.maxTokens) ?? 0,
      temperature: Number(this.temperature),
      metric: this.metric === '' ? null : this.metric,
      judge: null,
      measures: this.measures
        .filter((one) => one.expression.trim() !== '')
        .map((one) => ({ name: one.name.trim(), expression: one.expression.trim() })),
    };
  }

  problem(field: string): string | null {
    return this.plan.value?.problems.find((one) => one.field === field)?.message ?? null;
  }
}

function whole(text: string): number | null {
  return /^\d{1,9}$/.test(text.trim()) ? Number(text.trim()) : null;
}
