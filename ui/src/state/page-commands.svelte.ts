/** What the page that is open adds to the command palette. One page at a time offers something. */
export interface PageCommand {
  id: string;
  label: string;
  note?: string;
  run: () => void;
}

class PageCommands {
  #make = $state.raw<(() => PageCommand[]) | null>(null);

  get list(): PageCommand[] {
    return this.#make?.() ?? [];
  }

  /** Offers commands until the returned function is called. */
  offer(make: () => PageCommand[]): () => void {
    this.#make = make;
    return () => {
      if (this.#make === make) this.#make = null;
    };
  }
}

export const pageCommands = new PageCommands();
