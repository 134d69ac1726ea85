/** Which of the shell's own layers is open; one at a time. */
export type Overlay = 'palette' | 'shortcuts' | 'activity';

class Overlays {
  #open = $state<Overlay | null>(null);

  get open(): Overlay | null {
    return this.#open;
  }

  toggle(overlay: Overlay): void {
    this.#open = this.#open === overlay ? null : overlay;
  }

  close(): void {
    this.#open = null;
  }
}

export const overlays = new Overlays();
