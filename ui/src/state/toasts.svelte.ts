/** Short messages at the window's foot. They name their thing, wait while looked at, and never carry the only copy of an error. */
import type { AppError } from '../contract';
import { wordsFor } from '../errors';

export interface ToastAction {
  label: string;
  run: () => void;
}

export interface Toast {
  id: number;
  tone: 'note' | 'ok' | 'warning' | 'error';
  title: string;
  text: string | null;
  action: ToastAction | null;
}

class Toasts {
  #list = $state.raw<Toast[]>([]);
  #nextId = 1;

  get list(): readonly Toast[] {
    return this.#list;
  }

  show(
    tone: Toast['tone'],
    title: string,
    text: string | null = null,
    action: ToastAction | null = null,
  ): void {
    const toast = { id: this.#nextId++, tone, title, text, action };
    this.#list = [...this.#list.slice(-3), toast];
  }

  error(error: AppError, title?: string): void {
    const words = wordsFor(error.code);
    const text = [error.message, error.hint].filter(Boolean).join(' ');
    this.show(words.severity, title ?? words.heading, text);
  }

  /** Going elsewhere takes good news along; what failed, or can be taken back, stays. */
  leave(): void {
    this.#list = this.#list.filter(
      (toast) => toast.action !== null || (toast.tone !== 'ok' && toast.tone !== 'note'),
    );
  }

  dismiss(id: number): void {
    this.#list = this.#list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
