/**
 * A host without a workbench behind it, for tests and for looking at screens. Compiled into neither the app nor its bundle.
 *
 * It answers from the handlers it is given and notes every call; a call without a handler is refused loudly.
 */
import type { AppEvent } from '../src/contract';
import type { AnswerOf, ArgumentOf, CommandName, Host } from '../src/platform';

export type Handlers = {
  [K in CommandName]?: (argument: ArgumentOf<K>) => AnswerOf<K> | Promise<AnswerOf<K>>;
};

export class TestHost implements Host {
  handlers: Handlers;
  readonly calls: { name: CommandName; argument: unknown }[] = [];
  #listeners = new Set<(event: AppEvent) => void>();

  constructor(handlers: Handlers = {}) {
    this.handlers = handlers;
  }

  async call<K extends CommandName>(name: K, argument: ArgumentOf<K>): Promise<AnswerOf<K>> {
    this.calls.push({ name, argument: structuredClone(argument) });
    const handler = this.handlers[name];
    if (!handler) throw new Error(`The test gave no handler for ${name}.`);
    return handler(argument);
  }

  onEvent(handler: (event: AppEvent) => void): () => void {
    this.#listeners.add(handler);
    return () => this.#listeners.delete(handler);
  }

  emit(event: AppEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** The arguments of every call with this name, in order. */
  argumentsOf<K extends CommandName>(name: K): ArgumentOf<K>[] {
    return this.calls.filter((call) => call.name === name).map((call) => call.argument as ArgumentOf<K>);
  }
}
