/** Something loaded from the workbench: its value, whether it is on its way, and what went wrong. */
import type { AppError } from '../contract';
import { toAppError } from '../platform';

export class Resource<T> {
  #load: () => Promise<T>;
  #value = $state.raw<T | null>(null);
  #error = $state.raw<AppError | null>(null);
  #loading = $state(false);
  #latest = 0;

  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  /** The last good value; it stays while a fresh one is loaded. */
  get value(): T | null {
    return this.#value;
  }

  get error(): AppError | null {
    return this.#error;
  }

  get loading(): boolean {
    return this.#loading;
  }

  set(value: T): void {
    this.#latest += 1;
    this.#value = value;
    this.#error = null;
    this.#loading = false;
  }

  /** Loads again. When calls overtake each other the answer to the last one counts. */
  async reload(): Promise<void> {
    const turn = ++this.#latest;
    this.#loading = true;
    try {
      const value = await this.#load();
      if (turn !== this.#latest) return;
      this.#value = value;
      this.#error = null;
    } catch (thrown) {
      if (turn !== this.#latest) return;
      this.#error = toAppError(thrown);
    } finally {
      if (turn === this.#latest) this.#loading = false;
    }
  }
}
