/** The account's own models at the current connection, kept fresh by events, and what a person does with one. */
import type { AppError, AppEvent, OwnModel, Removal, ServeRequest, ServedBy } from '../../contract';
import { call, toAppError } from '../../platform';
import { Resource } from '../../state/resource.svelte';
import { toasts } from '../../state/toasts.svelte';

const HOUR = 3_600_000;
/** Provisioned throughput that this app has not asked for so long is warned of. */
const IDLE_AFTER = HOUR;

export class ModelsView {
  readonly models = new Resource<OwnModel[]>(() => call('own_models', {}));
  /** What is being done, by the ARN it is done to. */
  #acting = $state.raw<string | null>(null);

  get acting(): string | null {
    return this.#acting;
  }

  find(arn: string | null): OwnModel | undefined {
    return this.models.value?.find((model) => model.arn === arn);
  }

  hear(event: AppEvent): void {
    const other = event.event === 'connectionChanged' && event.connection.current;
    if (event.event === 'modelsChanged' || event.event === 'jobsChanged' || other) void this.models.reload();
  }

  /** Null when it went well; the error stands where it was asked for. */
  async serve(request: ServeRequest): Promise<AppError | null> {
    return this.#act(request.model, () => call('serve_model', request));
  }

  async stop(served: ServedBy): Promise<AppError | null> {
    return this.#act(served.arn, () => call('stop_serving', { arn: served.arn }));
  }

  async turn(served: ServedBy, model: string): Promise<AppError | null> {
    return this.#act(served.arn, () => call('turn_served', { served: served.arn, model }));
  }

  async copy(model: string, region: string, name: string): Promise<AppError | null> {
    return this.#act(model, () => call('copy_model', { model, region, name }));
  }

  removal(model: OwnModel): Promise<Removal> {
    return call('removal', { arn: model.arn });
  }

  async remove(model: OwnModel): Promise<AppError | null> {
    return this.#act(model.arn, () => call('remove_model', { arn: model.arn }));
  }

  async export(model: OwnModel): Promise<void> {
    try {
      const written = await call('export_model', { arn: model.arn });
      if (written) toasts.show('ok', `“${model.name}” was exported`, written.folder);
    } catch (thrown) {
      toasts.error(toAppError(thrown), `“${model.name}” was not exported`);
    }
  }

  async import(name: string): Promise<AppError | null> {
    return this.#act('import', () => call('import_model', { name }));
  }

  async #act(what: string, work: () => Promise<unknown>): Promise<AppError | null> {
    this.#acting = what;
    try {
      await work();
      await this.models.reload();
      return null;
    } catch (thrown) {
      return toAppError(thrown);
    } finally {
      if (this.#acting === what) this.#acting = null;
    }
  }
}

/** What it has cost by now: its hours, used or not. Null where the price or the beginning is not known. */
export function soFar(served: ServedBy, now: number): number | null {
  if (served.hourlyUsd === null || served.createdAt === null) return null;
  return (served.hourlyUsd * Math.max(0, now - served.createdAt)) / HOUR;
}

/** Since when nobody asked it from here, where that is long; null where it is not, and for what costs nothing idle. */
export function idleSince(served: ServedBy, now: number): number | null {
  if (served.way !== 'provisioned' || served.status !== 'InService') return null;
  const last = served.askedAt ?? served.createdAt;
  return last !== null && now - last > IDLE_AFTER ? last : null;
}

/** Whether it answers now. */
export const answers = (served: ServedBy): boolean =>
  served.status === 'Active' || served.status === 'InService' || served.status === 'Updating';
