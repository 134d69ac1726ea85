/** What the window remembers by itself between runs: choices of view, never data and never a secret. */
const PREFIX = 'whetstone.';

export function remembered(key: string): string | null {
  try {
    return window.localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string | null): void {
  try {
    if (value === null) window.localStorage.removeItem(PREFIX + key);
    else window.localStorage.setItem(PREFIX + key, value);
  } catch {
    // Without storage the choice holds for this run only, which loses nothing of the person's work.
  }
}

/** Whose rules the findings are for, on every screen that shows findings. */
class BaseModelChoice {
  #id = $state<string>(remembered('forModel') ?? 'whetstone.tiny-v1');

  get id(): string {
    return this.#id;
  }

  set id(id: string) {
    this.#id = id;
    remember('forModel', id);
  }
}

export const forModel = new BaseModelChoice();
