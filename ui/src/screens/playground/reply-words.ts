/** What is told of an answer. */
import type { Reply } from '../../contract';

/** Tokens a second after the first one; null where it cannot be told. */
export function tokensPerSecond(reply: Reply): number | null {
  if (reply.outputTokens === null || reply.outputTokens < 2 || reply.firstTokenMs === null) return null;
  const milliseconds = reply.totalMs - reply.firstTokenMs;
  return milliseconds > 0 ? ((reply.outputTokens - 1) * 1000) / milliseconds : null;
}

/** Whether an answer says what the record says, apart from white space around it. */
export function sameAnswer(text: string, expected: string): boolean {
  return text.trim() === expected.trim();
}

/** A stop reason in words. */
export function stopWords(reason: string): string {
  const words: Record<string, string> = {
    end_turn: 'ended by itself',
    max_tokens: 'cut at max tokens',
    stop_sequence: 'stop sequence met',
    cancelled: 'stopped by you',
  };
  return words[reason] ?? reason.replaceAll('_', ' ');
}
