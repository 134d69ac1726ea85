/** What can be done on the page of a dataset, for the command palette and for keys. */
import type { PageCommand } from '../../state/page-commands.svelte';
import { deleteRecords, duplicateRecords, fix } from './record-actions';
import type { DatasetView } from './dataset-view.svelte';
import type { PageTab, SideTab } from './page-tabs';

/** What the page lets its keys and commands open. */
export interface PageDoors {
  readonly view: DatasetView;
  open: (dialog: 'split' | 'bulk' | 'move' | 'convert' | 'rename') => void;
  show: (tab: PageTab) => void;
  panel: (tab: SideTab) => void;
  filter: () => void;
  find: (replacing: boolean) => void;
  insert: () => void;
  finding: (direction: 'forward' | 'back') => void;
  fix: () => void;
}

export function commandsOf(doors: PageDoors): PageCommand[] {
  const { view } = doors;
  return [
    { id: 'save', label: 'Save', note: 'Ctrl S', run: () => void view.save() },
    { id: 'save-as', label: 'Save as…', note: 'Ctrl Shift S', run: () => void view.saveAs() },
    { id: 'filter', label: 'Filter the records', note: 'Ctrl L', run: doors.filter },
    { id: 'find', label: 'Find', note: 'Ctrl F', run: () => doors.find(false) },
    { id: 'replace', label: 'Find and replace', note: 'Ctrl H', run: () => doors.find(true) },
    { id: 'next-finding', label: 'Next finding', note: 'F8', run: () => doors.finding('forward') },
    { id: 'findings', label: 'Findings by rule', run: () => doors.panel('findings') },
    { id: 'fix-everything', label: 'Fix all that has a fix', run: () => void fix(view, null, null) },
    { id: 'insert', label: 'Insert a record', note: 'Insert', run: doors.insert },
    { id: 'bulk', label: 'Edit the selected records…', run: () => doors.open('bulk') },
    { id: 'move', label: 'Move the selected records…', run: () => doors.open('move') },
    {
      id: 'duplicate',
      label: 'Duplicate the selected records',
      note: 'Ctrl D',
      run: () => void duplicateRecords(view),
    },
    {
      id: 'delete',
      label: 'Delete the selected records',
      note: 'Delete',
      run: () => void deleteRecords(view),
    },
    { id: 'statistics', label: 'Statistics', run: () => doors.show('statistics') },
    { id: 'snapshots', label: 'Snapshots', run: () => doors.show('snapshots') },
    { id: 'split', label: 'Split…', run: () => doors.open('split') },
    { id: 'convert', label: 'Convert…', run: () => doors.open('convert') },
    { id: 'rename', label: 'Rename the dataset…', run: () => doors.open('rename') },
  ];
}
