/** Looking around in S3: where one is, what is there, and what was chosen of it. */
import type {
  AppError,
  Bucket,
  ObjectPreview,
  PickedFile,
  PlaceFolder,
  PlaceListing,
  PlaceObject,
} from '../contract';
import { call, toAppError } from '../platform';
import { toasts } from './toasts.svelte';

export interface Place {
  bucket: string;
  /** Empty, or with a slash at its end. */
  prefix: string;
}

/** "s3://bucket/a/b" as a place; null for what is no address. */
export function placeOf(address: string): Place | null {
  const parts = /^s3:\/\/([^/]+)\/?(.*)$/.exec(address);
  if (!parts?.[1]) return null;
  const prefix = parts[2] ?? '';
  return { bucket: parts[1], prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/` };
}

export class PlaceBrowser {
  #place = $state.raw<Place | null>(null);
  #buckets = $state.raw<Bucket[] | null>(null);
  #folders = $state.raw<PlaceFolder[]>([]);
  #objects = $state.raw<PlaceObject[]>([]);
  #next = $state.raw<string | null>(null);
  #loading = $state(false);
  #error = $state.raw<AppError | null>(null);
  #chosen = $state.raw<PlaceObject | null>(null);
  #preview = $state.raw<ObjectPreview | null>(null);
  #previewError = $state.raw<AppError | null>(null);
  #fetching = $state(false);
  #turn = 0;

  /** Null where the buckets are listed. */
  get place(): Place | null {
    return this.#place;
  }
  get buckets(): readonly Bucket[] | null {
    return this.#buckets;
  }
  get folders(): readonly PlaceFolder[] {
    return this.#folders;
  }
  get objects(): readonly PlaceObject[] {
    return this.#objects;
  }
  get hasMore(): boolean {
    return this.#next !== null;
  }
  get loading(): boolean {
    return this.#loading;
  }
  get error(): AppError | null {
    return this.#error;
  }
  get chosen(): PlaceObject | null {
    return this.#chosen;
  }
  get preview(): ObjectPreview | null {
    return this.#preview;
  }
  get previewError(): AppError | null {
    return this.#previewError;
  }
  /** An object is on its way to be imported. */
  get fetching(): boolean {
    return this.#fetching;
  }

  /** The way from the buckets to here. */
  get crumbs(): { label: string; place: Place | null }[] {
    const place = this.#place;
    if (!place) return [{ label: 'Buckets', place: null }];
    const parts = place.prefix.split('/').filter((part) => part !== '');
    return [
      { label: 'Buckets', place: null },
      { label: place.bucket, place: { bucket: place.bucket, prefix: '' } },
      ...parts.map((label, index) => ({
        label,
        place: { bucket: place.bucket, prefix: `${parts.slice(0, index + 1).join('/')}/` },
      })),
    ];
  }

  async go(place: Place | null): Promise<void> {
    this.#place = place;
    this.#folders = [];
    this.#objects = [];
    this.#next = null;
    this.choose(null);
    await this.#load(async () => {
      if (!place) {
        const buckets = await call('buckets', {});
        return () => (this.#buckets = buckets);
      }
      const page = await call('list_place', { ...place, after: null });
      return () => this.#adopt(page);
    });
  }

  async more(): Promise<void> {
    const place = this.#place;
    const after = this.#next;
    if (!place || after === null) return;
    await this.#load(async () => {
      const page = await call('list_place', { ...place, after });
      return () => this.#adopt(page);
    });
  }

  /** One folder up; from a bucket to the buckets. */
  up(): void {
    const above = this.crumbs.at(-2);
    if (above) void this.go(above.place);
  }

  choose(object: PlaceObject | null): void {
    this.#chosen = object;
    this.#preview = null;
    this.#previewError = null;
    if (object) void this.#look(object);
  }

  async download(): Promise<void> {
    const place = this.#place;
    const object = this.#chosen;
    if (!place || !object) return;
    await this.#begin(() => call('download_object', { bucket: place.bucket, key: object.key }), object.name);
  }

  async downloadAll(): Promise<void> {
    const place = this.#place;
    if (place) await this.#begin(() => call('download_folder', { ...place }), place.prefix || place.bucket);
  }

  /** Brings the chosen object to this computer; null when that failed or was cancelled. */
  async fetch(): Promise<PickedFile | null> {
    const place = this.#place;
    const object = this.#chosen;
    if (!place || !object) return null;
    this.#fetching = true;
    try {
      return await call('fetch_object', { bucket: place.bucket, key: object.key });
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code !== 'cancelled') toasts.error(error, `“${object.name}” was not brought here`);
      return null;
    } finally {
      this.#fetching = false;
    }
  }

  async #begin(start: () => Promise<unknown>, name: string): Promise<void> {
    try {
      if ((await start()) !== null) toasts.show('ok', `“${name}” is being downloaded; see Activity`);
    } catch (thrown) {
      toasts.error(toAppError(thrown), `“${name}” was not downloaded`);
    }
  }

  async #look(object: PlaceObject): Promise<void> {
    const place = this.#place;
    if (!place) return;
    try {
      const preview = await call('preview_object', { bucket: place.bucket, key: object.key });
      if (this.#chosen === object) this.#preview = preview;
    } catch (thrown) {
      if (this.#chosen === object) this.#previewError = toAppError(thrown);
    }
  }

  /** When answers overtake each other the one to the last question counts. */
  async #load(ask: () => Promise<() => void>): Promise<void> {
    const turn = ++this.#turn;
    this.#loading = true;
    this.#error = null;
    try {
      const adopt = await ask();
      if (turn === this.#turn) adopt();
    } catch (thrown) {
      if (turn === this.#turn) this.#error = toAppError(thrown);
    } finally {
      if (turn === this.#turn) this.#loading = false;
    }
  }

  #adopt(page: PlaceListing): void {
    this.#folders = [...this.#folders, ...page.folders];
    this.#objects = [...this.#objects, ...page.objects];
    this.#next = page.next;
  }
}
