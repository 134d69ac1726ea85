/** The host of the real app: one command and one event, both named by the shell. */
import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';

import type { AppEvent } from '../contract';
import type { AnswerOf, ArgumentOf, CommandName, Host } from './host';

export const tauriHost: Host = {
  call<K extends CommandName>(name: K, argument: ArgumentOf<K>): Promise<AnswerOf<K>> {
    return invoke<AnswerOf<K>>('call', { name, argument });
  },
  onEvent(handler: (event: AppEvent) => void): () => void {
    const unlisten = listen<AppEvent>('whetstone', (message) => handler(message.payload));
    return () => void unlisten.then((stop) => stop());
  },
};
