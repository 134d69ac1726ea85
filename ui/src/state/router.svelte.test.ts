import { describe, expect, it } from 'vitest';

import { parseRoute, router, routeTo } from './router.svelte';

describe('an address', () => {
  it.each([
    ['#/datasets', 'datasets', null],
    ['#/datasets/d-1', 'datasets', 'd-1'],
    ['#/fine-tune/review', 'fine-tune', 'review'],
    ['', 'home', null],
    ['#/nowhere', 'home', null],
    ['#/%zz/..', 'home', '..'],
  ])('%j is screen %s', (hash, screen, rest) => {
    const route = parseRoute(hash);
    expect(route.screen).toBe(screen);
    expect(route.rest).toBe(rest);
  });

  it('survives any id on its way there and back', () => {
    const id = 'a/b?c#d e&f=ü';
    const route = parseRoute(routeTo('datasets', id, { record: '12', odd: 'a=b&c' }));
    expect(route.rest).toBe(id);
    expect(route.query.get('record')).toBe('12');
    expect(route.query.get('odd')).toBe('a=b&c');
  });

  it('is followed at once', () => {
    router.go('#/jobs/j-1');
    expect(router.route).toMatchObject({ screen: 'jobs', rest: 'j-1' });
  });
});
