/** A split as it is being set up: which way, with which figures, and what it would come to. */
import type { DatasetSummary, SplitKey, SplitMethod, SplitPreview, SplitRequest } from '../contract';
import { call } from '../platform';
import { Resource } from '../state/resource.svelte';
import { splitParts, wholeNumber, type SplitParts } from './split-counts';

export type SplitWay = SplitMethod['kind'];

const MOST_PERCENT = 50;

export class SplitDraft {
  readonly #summary: DatasetSummary;
  readonly keys: Resource<SplitKey[]>;
  readonly preview: Resource<SplitPreview | null>;
  way = $state<SplitWay>('ratio');
  /** As typed: percents, or records where the way is to count. */
  validation = $state('10');
  holdOut = $state('10');
  seed = $state('1');
  key = $state('');

  constructor(summary: DatasetSummary) {
    this.#summary = summary;
    this.keys = new Resource(() => call('split_keys', { dataset: summary.id }));
    this.preview = new Resource(async () => {
      const request = this.request(false);
      return request ? await call('preview_split', request) : null;
    });
    this.#adopt(summary);
  }

  get counted(): boolean {
    return this.way === 'count';
  }
  get needsKey(): boolean {
    return this.way === 'stratified' || this.way === 'grouped';
  }
  /** The largest figure that the fields take. */
  get most(): number {
    return this.counted ? this.#summary.records : MOST_PERCENT;
  }
  get validationNumber(): number | null {
    return wholeNumber(this.validation, 0, this.most);
  }
  get holdOutNumber(): number | null {
    return wholeNumber(this.holdOut, 0, this.most);
  }
  get seedNumber(): number | null {
    return wholeNumber(this.seed, 0, Number.MAX_SAFE_INTEGER);
  }

  /** What it comes to: at once by arithmetic where that is all there is to it, else as the workbench says. */
  get parts(): SplitParts | null {
    const validation = this.validationNumber ?? 0;
    const holdOut = this.holdOutNumber ?? 0;
    const { records } = this.#summary;
    if (this.way === 'ratio') return splitParts(records, validation, holdOut);
    if (this.way === 'count') {
      const heldOut = Math.min(holdOut, Math.max(0, records - validation));
      return { training: Math.max(0, records - validation - heldOut), validation, holdOut: heldOut };
    }
    return this.preview.value;
  }

  get method(): SplitMethod | null {
    const validation = this.validationNumber;
    const holdOut = this.holdOutNumber;
    if (validation === null || holdOut === null) return null;
    if (this.way === 'count')
      return validation + holdOut <= this.#summary.records ? { kind: 'count', validation, holdOut } : null;
    const percents = { validationPercent: validation, holdOutPercent: holdOut };
    if (this.way === 'ratio') return { kind: 'ratio', ...percents };
    return this.key === '' ? null : { kind: this.way, key: this.key, ...percents };
  }

  request(replaceFrozen: boolean): SplitRequest | null {
    const method = this.method;
    const seed = this.seedNumber;
    return method === null || seed === null
      ? null
      : { dataset: this.#summary.id, method, seed, replaceFrozen };
  }

  turnTo(way: SplitWay): void {
    const wasCounted = this.counted;
    this.way = way;
    // A figure keeps its meaning as well as it can: a percent becomes the records that it stood for.
    if (this.counted !== wasCounted) {
      const parts = splitParts(this.#summary.records, 10, 10);
      this.validation = this.counted ? String(parts.validation) : '10';
      this.holdOut = this.counted ? String(parts.holdOut) : '10';
    }
    if (this.needsKey && this.keys.value === null)
      void this.keys.reload().then(() => {
        if (this.key === '') this.key = this.keys.value?.[0]?.id ?? '';
      });
  }

  #adopt(summary: DatasetSummary): void {
    const split = summary.split;
    if (!split) return;
    this.seed = String(split.seed);
    const { method } = split;
    this.way = method.kind;
    if (method.kind === 'count') {
      this.validation = String(method.validation);
      this.holdOut = String(method.holdOut);
    } else {
      this.validation = String(method.validationPercent);
      this.holdOut = String(method.holdOutPercent);
    }
    if (method.kind === 'stratified' || method.kind === 'grouped') {
      this.key = method.key;
      void this.keys.reload();
    }
  }
}
