/** The window's keys: one list that the handler acts on and the shortcut sheet shows. */
import { importFlow } from '../state/import-flow.svelte';
import { router, routeTo, type ScreenName } from '../state/router.svelte';
import { toasts } from '../state/toasts.svelte';
import { toAppError } from '../platform';
import { overlays } from './overlays.svelte';

export interface ShortcutGroup {
  name: string;
  shortcuts: { keys: string[][]; what: string }[];
}

/** Chooses a file and goes to its preview; used by every button and key that says so. */
export async function openFile(): Promise<void> {
  try {
    if (await importFlow.pick()) router.go(routeTo('datasets', 'import'));
  } catch (thrown) {
    toasts.error(toAppError(thrown), 'The file was not opened');
  }
}

export const numbered: readonly ScreenName[] = [
  'home',
  'datasets',
  'jobs',
  'models',
  'playground',
  'evaluations',
  'settings',
];

export const shortcutGroups: readonly ShortcutGroup[] = [
  {
    name: 'Anywhere',
    shortcuts: [
      { keys: [['Ctrl', 'K']], what: 'Find a command, a dataset or a job' },
      { keys: [['Ctrl', '/']], what: 'This list' },
      { keys: [['Ctrl', 'O']], what: 'Open a data file' },
      {
        keys: [
          ['Ctrl', '1'],
          ['Ctrl', '7'],
        ],
        what: 'Home to Settings, in the order of the sidebar',
      },
      {
        keys: [
          ['Ctrl', '+'],
          ['Ctrl', '−'],
          ['Ctrl', '0'],
        ],
        what: 'Larger, smaller, as it was',
      },
      { keys: [['Esc']], what: 'Close what is open' },
    ],
  },
  {
    name: 'Records',
    shortcuts: [
      { keys: [['J'], ['K']], what: 'Next, previous record' },
      { keys: [['Page Up'], ['Page Down']], what: 'A page up, down' },
      { keys: [['Home'], ['End']], what: 'First, last record' },
      { keys: [['Enter']], what: 'Edit the record' },
      { keys: [['Ctrl', 'Enter']], what: 'Apply the edit' },
      { keys: [['Space'], ['Ctrl', 'Click']], what: 'Select, or not' },
      {
        keys: [
          ['Shift', 'J'],
          ['Shift', 'K'],
        ],
        what: 'Select down, up',
      },
      { keys: [['Ctrl', 'A']], what: 'Select all in view' },
      { keys: [['E']], what: 'Edit selected' },
      { keys: [['Ctrl', 'D']], what: 'Duplicate' },
      { keys: [['Insert'], ['Delete']], what: 'New record, delete' },
      {
        keys: [
          ['Alt', '↑'],
          ['Alt', '↓'],
        ],
        what: 'Move up, down',
      },
    ],
  },
  {
    name: 'Dataset',
    shortcuts: [
      { keys: [['/'], ['Ctrl', 'L']], what: 'Filter' },
      {
        keys: [
          ['Ctrl', 'F'],
          ['Ctrl', 'H'],
        ],
        what: 'Find, find and replace',
      },
      { keys: [['F8'], ['Shift', 'F8']], what: 'Next, previous finding' },
      { keys: [['F']], what: 'Fix the record' },
      {
        keys: [
          ['Ctrl', 'Z'],
          ['Ctrl', 'Shift', 'Z'],
        ],
        what: 'Undo, redo',
      },
      {
        keys: [
          ['Ctrl', 'S'],
          ['Ctrl', 'Shift', 'S'],
        ],
        what: 'Save, save as',
      },
    ],
  },
  {
    name: 'Playground',
    shortcuts: [
      { keys: [['Ctrl', 'Enter']], what: 'Send to both columns' },
      { keys: [['Esc']], what: 'Stop the answers' },
    ],
  },
  {
    name: 'Blind votes',
    shortcuts: [
      { keys: [['←'], ['→']], what: 'Left, right is better' },
      { keys: [['↓'], ['X']], what: 'A tie, both are bad' },
      { keys: [['Backspace']], what: 'Take the last vote back' },
      { keys: [['R']], what: 'Show the reference' },
    ],
  },
];

/** Acts on a key of the whole window. Answers whether it was one. */
export function handleShortcut(event: KeyboardEvent): boolean {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return false;
  switch (event.key) {
    case 'k':
      overlays.toggle('palette');
      return true;
    case '/':
      overlays.toggle('shortcuts');
      return true;
    case 'o':
      void openFile();
      return true;
  }
  const screen = numbered[Number(event.key) - 1];
  if (!screen) return false;
  router.go(routeTo(screen));
  return true;
}
