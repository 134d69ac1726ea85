import { fireEvent, render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { createRawSnippet } from 'svelte';
import { describe, expect, it } from 'vitest';

import WindowedTable, { type Column } from './WindowedTable.svelte';

const columns: Column[] = [{ id: 'text', label: 'Text', width: '1fr' }];
const cell = createRawSnippet<[string, Column]>((row) => ({
  render: () => `<span>${row()}</span>`,
}));

function table(total: number, selected: number | null) {
  const chosen: number[] = [];
  const opened: number[] = [];
  const viewed: [number, number][] = [];
  const props = {
    label: 'Records',
    columns,
    total,
    rowAt: (position: number) => `row ${position}`,
    onview: (first: number, end: number) => viewed.push([first, end]),
    selected,
    onselect: (position: number) => {
      chosen.push(position);
      void view.rerender({ selected: position });
    },
    onopen: (position: number) => opened.push(position),
    cell,
    assumedHeight: 320,
  };
  const view = render(WindowedTable<string>, { props });
  return { chosen, opened, viewed };
}

describe('the keyboard in a table', () => {
  const press = async (keys: string) => {
    screen.getByRole('grid').focus();
    await userEvent.keyboard(keys);
  };

  it('moves by a record with J, K and the arrows', async () => {
    const { chosen } = table(1_000_000, 10);
    await press('j{ArrowDown}k{ArrowUp}');
    expect(chosen).toEqual([11, 12, 11, 10]);
  });

  it('moves by a page, and to both ends', async () => {
    const { chosen } = table(1_000_000, 100);
    await press('{PageDown}{PageUp}{End}{Home}');
    expect(chosen).toEqual([109, 100, 999_999, 0]);
  });

  it('stops at the first and the last record', async () => {
    const { chosen } = table(3, 0);
    await press('k{End}j');
    expect(chosen).toEqual([0, 2, 2]);
  });

  it('opens the record with Enter', async () => {
    const { opened } = table(3, 1);
    await press('{Enter}');
    expect(opened).toEqual([1]);
  });

  it('leaves keys with Ctrl to the window', async () => {
    const { chosen } = table(3, 1);
    await press('{Control>}k{/Control}');
    expect(chosen).toEqual([]);
  });
});

describe('what a table shows', () => {
  it('is the neighbourhood of the selected record, wherever that is', async () => {
    table(1_000_000, 999_999);
    expect(await screen.findByText('row 999999')).toBeTruthy();
    expect(screen.queryByText('row 0')).toBeNull();
    expect(screen.getAllByTestId('table-row').length).toBeLessThan(25);
  });

  it('tells screen readers how long it is and where they are', () => {
    table(1_000_000, 4);
    const grid = screen.getByRole('grid', { name: 'Records' });
    expect(grid.getAttribute('aria-rowcount')).toBe('1000000');
    const current = document.getElementById(grid.getAttribute('aria-activedescendant') ?? '');
    expect(current?.getAttribute('aria-rowindex')).toBe('5');
    expect(current?.getAttribute('aria-selected')).toBe('true');
  });

  it('goes a notch, not a leap, with the wheel over a compressed list', async () => {
    const { viewed } = table(1_000_000, null);
    await fireEvent.wheel(screen.getByRole('grid'), { deltaY: 320 });
    expect(viewed.at(-1)).toEqual([6, 24]);
  });
});
