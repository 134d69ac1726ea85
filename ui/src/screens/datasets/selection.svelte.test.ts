import { beforeEach, describe, expect, it } from 'vitest';

import { install } from '../../../testing/install';
import type { TestHost } from '../../../testing/test-host';
import type { View } from '../../contract';
import { RecordSelection } from './selection.svelte';

let host: TestHost;
let view: View;
let selection: RecordSelection;

/** With a filter, place n is the record at position 10 n + 4. */
beforeEach(() => {
  host = install({
    positions: ({ places }) =>
      Array.from({ length: places.end - places.start }, (_, index) => {
        const start = (places.start + index) * 10 + 4;
        return { start, end: start + 1 };
      }),
  });
  view = { dataset: 'd', baseModel: 'm', filter: '', sort: null };
  selection = new RecordSelection(() => view);
});

describe('the selection', () => {
  it('survives another filter, and grows there by the records that it shows', async () => {
    selection.anchor(2);
    await selection.extend(5);
    view = { ...view, filter: 'finding:any' };
    selection.toggle(104, 10);
    expect(selection.asRequest()).toEqual({
      kind: 'positions',
      spans: [
        { start: 2, end: 6 },
        { start: 104, end: 105 },
      ],
    });
  });

  it('draws a stretch anew as it grows and shrinks', async () => {
    selection.anchor(5);
    await selection.extend(9);
    await selection.extend(6);
    expect(selection.count).toBe(2);
    await selection.extend(3);
    expect([2, 3, 4, 5, 6].map((one) => selection.has(one))).toEqual([false, true, true, true, false]);
  });

  it('takes all that a filter shows, loaded or not', async () => {
    view = { ...view, filter: 'finding:any' };
    await selection.all(3);
    expect([4, 14, 24].every((one) => selection.has(one))).toBe(true);
    expect(selection.count).toBe(3);
  });

  it('asks nobody where a place is a position', async () => {
    await selection.all(10_000_000);
    expect(selection.count).toBe(10_000_000);
    expect(host.calls).toEqual([]);
  });

  it('does not bring back what was cleared while it was being drawn', async () => {
    view = { ...view, filter: 'finding:any' };
    selection.anchor(0);
    const drawn = selection.extend(4);
    selection.clear();
    await drawn;
    expect(selection.count).toBe(0);
  });
});
