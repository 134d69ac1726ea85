/** The keys of the dataset's page, and those that only count while the keyboard is in the table. */
import type { PageDoors } from './dataset-commands';
import { deleteRecords, duplicateRecords, moveRecords } from './record-actions';

/** Whether the key belongs to text that is being written, which has an undo of its own. */
function isTyping(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  return (
    target instanceof HTMLInputElement ||
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLElement && target.isContentEditable)
  );
}

/** Acts on a key wherever the keyboard is on the page. Answers whether it was one. */
export function keyOfPage(event: KeyboardEvent, doors: PageDoors): boolean {
  const { view } = doors;
  if (event.key === 'F8') {
    doors.finding(event.shiftKey ? 'back' : 'forward');
    return true;
  }
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return false;
  switch (event.key.toLowerCase()) {
    case 'z':
      // A field with nothing to apply has nothing to take back either.
      if (isTyping(event) && (view.draft.dirty || event.target instanceof HTMLInputElement)) return false;
      void (event.shiftKey ? view.redo() : view.undo());
      return true;
    case 's':
      void (event.shiftKey ? view.saveAs() : view.save());
      return true;
    case 'f':
      doors.find(false);
      return true;
    case 'h':
      doors.find(true);
      return true;
    case 'l':
      doors.filter();
      return true;
    default:
      return false;
  }
}

/** Acts on a key while the table has the keyboard. */
export function keyOfTable(event: KeyboardEvent, doors: PageDoors): boolean {
  const { view } = doors;
  const control = event.ctrlKey || event.metaKey;
  if (event.altKey && !control && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
    void moveRecords(view, event.key === 'ArrowUp' ? -1 : 1);
    return true;
  }
  if (event.altKey) return false;
  if (control) {
    if (event.key.toLowerCase() !== 'd') return false;
    void duplicateRecords(view);
    return true;
  }
  switch (event.key) {
    case 'Delete':
      void deleteRecords(view);
      return true;
    case 'Insert':
      doors.insert();
      return true;
    case 'Escape':
      if (view.selection.count === 0) return false;
      view.selection.clear();
      return true;
    case 'f':
      doors.fix();
      return true;
    case 'e':
      if (view.selection.count === 0) return false;
      doors.open('bulk');
      return true;
    case '/':
      doors.filter();
      return true;
    default:
      return false;
  }
}
