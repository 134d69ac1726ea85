import { describe, expect, it, vi } from 'vitest';

import { row, rowWindow } from '../../../testing/dataset-fixtures';
import { install, later } from '../../../testing/install';
import type { RowWindow, View } from '../../contract';
import { RowPages } from './row-pages.svelte';

const view: View = { dataset: 'd', baseModel: 'm', filter: '', sort: null };
const columns = ['prompt', 'completion'];
const pages = (): RowPages => new RowPages(() => ({ view, columns }));

function million() {
  return install({ rows: ({ offset, count }) => rowWindow(1_000_000, offset, count) });
}

const one = (total: number, text: string): RowWindow => ({
  ...rowWindow(total, 0, 0),
  rows: [{ ...row(0), cells: [text, ''] }],
});

describe('the rows of a view', () => {
  it('are fetched where one looks, and only once', async () => {
    const host = million();
    const rows = pages();
    rows.view(500_000, 500_020);
    rows.view(500_001, 500_021);
    await vi.waitFor(() => expect(rows.at(500_010)?.position).toBe(500_010));
    expect(host.argumentsOf('rows')).toEqual([{ view, columns, offset: 500_000, count: 200 }]);
    expect(rows.at(0)).toBeUndefined();
  });

  it('are there wherever a scroll through a million of them stops, and most passed over were not fetched', async () => {
    const host = million();
    const rows = pages();
    for (let first = 0; first < 1_000_000; first += 997) rows.view(first, first + 30);
    rows.view(999_970, 1_000_000);
    await vi.waitFor(() => expect(rows.at(999_999)?.position).toBe(999_999));
    for (let place = 999_970; place < 1_000_000; place += 1) expect(rows.at(place)?.position).toBe(place);
    expect(host.argumentsOf('rows').length).toBeLessThan(10);
  });

  it('stay on the screen while fresh ones are on their way', async () => {
    const host = million();
    const rows = pages();
    rows.view(0, 20);
    await vi.waitFor(() => expect(rows.at(5)).toBeDefined());

    const answer = later<RowWindow>();
    host.handlers.rows = () => answer.promise;
    rows.refresh();
    expect(rows.at(5)?.position).toBe(5);

    answer.resolve(one(7, 'fresh'));
    await vi.waitFor(() => expect(rows.at(0)?.cells[0]).toBe('fresh'));
    expect(rows.total).toBe(7);
  });

  it('that come late, from before an edit, are not shown', async () => {
    const host = million();
    const stale = later<RowWindow>();
    host.handlers.rows = () => stale.promise;
    const rows = pages();
    rows.view(0, 20);
    host.handlers.rows = () => one(1, 'fresh');
    rows.refresh();
    await vi.waitFor(() => expect(rows.at(0)?.cells[0]).toBe('fresh'));
    stale.resolve(one(2, 'stale'));
    await Promise.resolve();
    expect(rows.at(0)?.cells[0]).toBe('fresh');
  });

  it('of another view take the place of all rows there were', async () => {
    const host = million();
    const rows = pages();
    rows.view(0, 20);
    rows.view(400, 420);
    await vi.waitFor(() => expect(rows.at(410)).toBeDefined());
    host.handlers.rows = () => one(1, 'filtered');
    rows.restart();
    await vi.waitFor(() => expect(rows.total).toBe(1));
    expect(rows.at(0)?.cells[0]).toBe('filtered');
    expect(rows.at(410)).toBeUndefined();
  });

  it('that cannot be had are asked for once, and again when the person says so', async () => {
    const host = install({
      rows: () => Promise.reject({ code: 'storage', message: 'gone', detail: null, hint: null }),
    });
    const rows = pages();
    rows.view(0, 20);
    await vi.waitFor(() => expect(rows.error?.message).toBe('gone'));
    expect(host.argumentsOf('rows')).toHaveLength(1);
    host.handlers.rows = () => one(1, 'there');
    rows.refresh();
    await vi.waitFor(() => expect(rows.at(0)?.cells[0]).toBe('there'));
    expect(rows.error).toBeNull();
  });
});
