import { describe, expect, it } from 'vitest';

import { later } from '../../testing/install';
import { Resource } from './resource.svelte';

describe('a resource', () => {
  it('shows the answer to the last question, in whatever order answers come', async () => {
    const answers = [later<string>(), later<string>()] as const;
    let at = 0;
    const resource = new Resource(() => answers[at++ === 0 ? 0 : 1].promise);
    const first = resource.reload();
    const second = resource.reload();
    answers[1].resolve('new');
    answers[0].resolve('old');
    await Promise.all([first, second]);
    expect(resource.value).toBe('new');
    expect(resource.loading).toBe(false);
  });

  it('keeps its last good value beside an error', async () => {
    let fail = false;
    const resource = new Resource(() => (fail ? Promise.reject(new Error('no')) : Promise.resolve(1)));
    await resource.reload();
    fail = true;
    await resource.reload();
    expect(resource.value).toBe(1);
    expect(resource.error?.code).toBe('bug');
    expect(resource.error?.detail).toBe('no');
  });
});
