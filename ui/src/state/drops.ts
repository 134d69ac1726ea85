/** Files dropped on the window: the screen that is shown may take them; what none takes is opened as data. */
import type { PickedFile } from '../contract';

/** Whether the screen takes them. */
type Taker = (files: readonly PickedFile[]) => boolean;

class Drops {
  #taker: Taker | null = null;

  /** Until the returned function is called. */
  takenBy(taker: Taker): () => void {
    this.#taker = taker;
    return () => {
      if (this.#taker === taker) this.#taker = null;
    };
  }

  offer(files: readonly PickedFile[]): boolean {
    return this.#taker?.(files) ?? false;
  }
}

export const drops = new Drops();
