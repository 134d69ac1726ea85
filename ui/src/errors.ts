/** What each error code means to a person: how grave it is, what to call it, and what the window offers to do. */
import type { ErrorCode } from './contract';

export type ErrorAction =
  /** The same call may go well a second time. */
  | 'retry'
  /** The connection is to be looked at. */
  | 'connection'
  /** The person has to prove who they are: the connection's page says how. */
  | 'signIn'
  /** The thing is gone: back to the list. */
  | 'back'
  /** Nothing but reading the message and changing the input. */
  | 'none';

export interface ErrorWords {
  /** `note` for what the person did on purpose, `warning` for what they can mend, `error` for the rest. */
  severity: 'note' | 'warning' | 'error';
  heading: string;
  action: ErrorAction;
}

export const errorTable: Record<ErrorCode, ErrorWords> = {
  invalidInput: { severity: 'warning', heading: 'Check the input', action: 'none' },
  fileBroken: { severity: 'warning', heading: 'The file cannot be read', action: 'none' },
  fileUnavailable: { severity: 'warning', heading: 'The file is not available', action: 'retry' },
  notFound: { severity: 'warning', heading: 'Not found', action: 'back' },
  refused: { severity: 'warning', heading: 'Not possible now', action: 'none' },
  storage: { severity: 'error', heading: 'Could not be stored', action: 'retry' },
  unreachable: { severity: 'error', heading: 'The endpoint does not answer', action: 'connection' },
  accessDenied: { severity: 'error', heading: 'Access denied', action: 'connection' },
  signIn: { severity: 'warning', heading: 'Sign in again', action: 'signIn' },
  codeNeeded: { severity: 'warning', heading: 'A code is needed', action: 'signIn' },
  keysNeeded: { severity: 'warning', heading: 'The keys are needed again', action: 'signIn' },
  accountChanged: { severity: 'warning', heading: 'Another account', action: 'signIn' },
  throttled: { severity: 'warning', heading: 'Too many requests', action: 'retry' },
  validation: { severity: 'warning', heading: 'The request was refused', action: 'none' },
  cancelled: { severity: 'note', heading: 'Cancelled', action: 'none' },
  bug: { severity: 'error', heading: 'A fault in Whetstone', action: 'retry' },
};

/** The words for a code; a code of a newer workbench is treated as a fault rather than hidden. */
export function wordsFor(code: ErrorCode): ErrorWords {
  return errorTable[code] ?? errorTable.bug;
}
