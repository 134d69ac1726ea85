/**
 * Which records are chosen for an edit of many. Held as positions in the dataset, so that it stays when the filter or
 * the order changes; an edit that moves positions ends it.
 */
import type { Selection, Span, View } from '../../contract';
import { call } from '../../platform';
import { RangeSet } from './range-set';

export class RecordSelection {
  #set = $state.raw(RangeSet.empty);
  #view: () => View;
  /** Place in the view from which a stretch is drawn. */
  #anchor: number | null = null;
  /** What was chosen before the stretch that is being drawn. */
  #before = RangeSet.empty;
  #turn = 0;

  constructor(view: () => View) {
    this.#view = view;
  }

  get count(): number {
    return this.#set.count;
  }

  has(position: number): boolean {
    return this.#set.has(position);
  }

  /** As an edit takes it. */
  asRequest(): Selection {
    return { kind: 'positions', spans: [...this.#set.spans] };
  }

  /** Puts one record in, or takes it out. */
  toggle(position: number, place: number): void {
    this.#turn += 1;
    this.#set = this.#set.toggle(position);
    this.#begin(place);
  }

  /** A stretch begins here; nothing is chosen yet by that. */
  anchor(place: number | null): void {
    this.#begin(place);
  }

  /** From the anchor to here; drawn anew as it grows and shrinks. */
  async extend(place: number): Promise<void> {
    const from = this.#anchor ?? place;
    this.#anchor = from;
    const turn = ++this.#turn;
    const spans = await this.#positions({ start: Math.min(from, place), end: Math.max(from, place) + 1 });
    if (turn === this.#turn) this.#set = this.#before.with(spans);
  }

  /** All that the view shows, besides what is chosen already. */
  async all(total: number): Promise<void> {
    const turn = ++this.#turn;
    const spans = await this.#positions({ start: 0, end: total });
    if (turn === this.#turn) this.#set = this.#set.with(spans);
    this.#begin(this.#anchor);
  }

  clear(): void {
    this.#turn += 1;
    this.#set = RangeSet.empty;
    this.#before = RangeSet.empty;
  }

  #begin(place: number | null): void {
    this.#anchor = place;
    this.#before = this.#set;
  }

  /** In the dataset's own order a place is a position, and nobody has to be asked. */
  async #positions(places: Span): Promise<readonly Span[]> {
    const view = this.#view();
    if (view.filter.trim() === '' && view.sort === null) return [places];
    return await call('positions', { view, places });
  }
}
