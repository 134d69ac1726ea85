/**
 * The door to whatever runs the workbench. The app installs the Tauri host, tests install one of their own;
 * no other folder knows which it is.
 */
import type { AppError, AppEvent, Commands } from '../contract';

export type CommandName = keyof Commands;
export type ArgumentOf<K extends CommandName> = Commands[K]['argument'];
export type AnswerOf<K extends CommandName> = Commands[K]['answer'];

export interface Host {
  /** Resolves with the answer or rejects; anything may be thrown, `call` makes an AppError of it. */
  call<K extends CommandName>(name: K, argument: ArgumentOf<K>): Promise<AnswerOf<K>>;
  /** Hands every event to the handler until the returned function is called. */
  onEvent(handler: (event: AppEvent) => void): () => void;
}

let installed: Host | null = null;

export function installHost(host: Host): void {
  installed = host;
}

function host(): Host {
  if (!installed) throw new Error('No host is installed.');
  return installed;
}

export function isAppError(value: unknown): value is AppError {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}

/** Makes an AppError of whatever was thrown, so that callers have one shape to act on. */
export function toAppError(thrown: unknown): AppError {
  if (isAppError(thrown)) return thrown;
  return {
    code: 'bug',
    message: 'Something went wrong inside Whetstone.',
    detail: thrown instanceof Error ? thrown.message : String(thrown),
    hint: 'Try again; if it happens again, restart the app.',
  };
}

/** Calls the workbench. Rejects with an AppError and with nothing else. */
export async function call<K extends CommandName>(name: K, argument: ArgumentOf<K>): Promise<AnswerOf<K>> {
  try {
    return await host().call(name, argument);
  } catch (thrown) {
    throw toAppError(thrown);
  }
}

export function onEvent(handler: (event: AppEvent) => void): () => void {
  return host().onEvent(handler);
}
