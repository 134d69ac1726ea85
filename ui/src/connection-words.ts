/** A connection in a few words, the same in the sidebar and under Settings. */
import type { Connection, ConnectionKind, ErrorCode } from './contract';

export interface ConnectionWords {
  /** For the dot: what a person can tell from across the room. */
  state: 'starting' | 'ready' | 'failed';
  tone: 'neutral' | 'ok' | 'warn' | 'bad';
  /** One or two words. */
  badge: string;
  /** A short line beneath the name. */
  note: string;
}

/** Reasons that the person can take away at once. */
const wanting: Partial<Record<ErrorCode, string>> = {
  signIn: 'Sign in',
  codeNeeded: 'Code needed',
  keysNeeded: 'Keys needed',
  accountChanged: 'Account changed',
};

export const kindWords: Record<ConnectionKind, string> = {
  thisComputer: 'Sandbox',
  profile: 'AWS profile',
  keys: 'Typed-in keys',
  apiKey: 'Bedrock API key',
  environment: 'Environment',
};

export function connectionWords(connection: Connection): ConnectionWords {
  switch (connection.state) {
    case 'idle':
      return { state: 'starting', tone: 'neutral', badge: 'Not used yet', note: connection.region };
    case 'starting':
      return { state: 'starting', tone: 'neutral', badge: 'Connecting', note: 'connecting…' };
    case 'failed': {
      const want = connection.error ? wanting[connection.error.code] : undefined;
      const badge = want ?? 'Not connected';
      return { state: 'failed', tone: want ? 'warn' : 'bad', badge, note: badge.toLowerCase() };
    }
    case 'ready':
      return { state: 'ready', tone: 'ok', badge: 'Ready', note: readyNote(connection) };
  }
}

function readyNote(connection: Connection): string {
  if (connection.kind === 'thisComputer') return 'sandbox · no account, no cost';
  const account = connection.identity?.account;
  return account ? `${account} · ${connection.region}` : connection.region;
}
