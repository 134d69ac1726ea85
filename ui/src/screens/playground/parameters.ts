/** What a prompt is asked with, and sets of it that people come back to. */
export type Mode = 'chat' | 'completion' | 'asTrained';

export interface Parameters {
  system: string;
  temperature: number;
  topP: number;
  /** Null: not sent. */
  topK: number | null;
  maxTokens: number;
  stopSequences: string[];
}

const base = { system: '', topP: 1, topK: null, maxTokens: 200, stopSequences: [] as string[] };

export const PRESETS = {
  exact: { label: 'Exact', parameters: { ...base, temperature: 0 } },
  balanced: { label: 'Balanced', parameters: { ...base, temperature: 0.5, topP: 0.9, maxTokens: 400 } },
  creative: { label: 'Creative', parameters: { ...base, temperature: 1, topP: 0.95, maxTokens: 800 } },
} as const satisfies Record<string, { label: string; parameters: Parameters }>;

export const MODES: readonly { id: Mode; label: string; what: string }[] = [
  { id: 'chat', label: 'Chat', what: 'Turns of a conversation, as Converse takes them.' },
  { id: 'completion', label: 'Completion', what: 'A text that the model goes on with, without turns.' },
  {
    id: 'asTrained',
    label: 'As trained',
    what: 'The prompt within what all training prompts have in common.',
  },
];
