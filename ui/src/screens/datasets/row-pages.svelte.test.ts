import { describe, expect, it, vi } from 'vitest';

import { row } from '../../../testing/fixtures';
import { install, later } from '../../../testing/install';
import type { RowWindow } from '../../contract';
import { RowPages } from './row-pages.svelte';

function million() {
  return install({
    rows: ({ offset, count }) => ({
      total: 1_000_000,
      offset,
      rows: Array.from({ length: count }, (_, index) => row(offset + index)),
    }),
  });
}

describe('the rows of a dataset', () => {
  it('are fetched where one looks, and only once', async () => {
    const host = million();
    const rows = new RowPages('d', () => 'm');
    rows.view(500_000, 500_020);
    rows.view(500_001, 500_021);
    await vi.waitFor(() => expect(rows.at(500_010)?.position).toBe(500_010));
    expect(host.argumentsOf('rows')).toEqual([{ dataset: 'd', offset: 500_000, count: 200, baseModel: 'm' }]);
    expect(rows.at(0)).toBeUndefined();
  });

  it('stay on the screen while fresh ones are on their way', async () => {
    const host = million();
    const rows = new RowPages('d', () => 'm');
    rows.view(0, 20);
    await vi.waitFor(() => expect(rows.at(5)).toBeDefined());

    const answer = later<RowWindow>();
    host.handlers.rows = () => answer.promise;
    rows.refresh();
    expect(rows.at(5)?.position).toBe(5);

    answer.resolve({ total: 7, offset: 0, rows: [{ ...row(0), prompt: 'fresh' }] });
    await vi.waitFor(() => expect(rows.at(0)?.prompt).toBe('fresh'));
    expect(rows.total).toBe(7);
  });

  it('that come late, from before an edit, are not shown', async () => {
    const host = million();
    const stale = later<RowWindow>();
    host.handlers.rows = () => stale.promise;
    const rows = new RowPages('d', () => 'm');
    rows.view(0, 20);
    host.handlers.rows = () => ({ total: 1, offset: 0, rows: [{ ...row(0), prompt: 'fresh' }] });
    rows.refresh();
    await vi.waitFor(() => expect(rows.at(0)?.prompt).toBe('fresh'));
    stale.resolve({ total: 2, offset: 0, rows: [{ ...row(0), prompt: 'stale' }] });
    await Promise.resolve();
    expect(rows.at(0)?.prompt).toBe('fresh');
  });
});
