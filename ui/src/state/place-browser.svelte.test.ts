import { describe, expect, it } from 'vitest';

import { install } from '../../testing/install';
import { PlaceBrowser, placeOf } from './place-browser.svelte';

const object = (key: string) => ({
  name: key.split('/').at(-1) ?? key,
  key,
  bytes: 3,
  modifiedAt: null,
});

describe('a place in S3', () => {
  it('is read from an address', () => {
    expect(placeOf('s3://b/out/x')).toEqual({ bucket: 'b', prefix: 'out/x/' });
    expect(placeOf('s3://b/')).toEqual({ bucket: 'b', prefix: '' });
    expect(placeOf('https://b/x')).toBeNull();
  });

  it('is led to by crumbs, and up leads back', async () => {
    const host = install({
      buckets: () => [{ name: 'b', createdAt: null }],
      list_place: () => ({ folders: [], objects: [object('a/c/x')], next: null }),
    });
    const browser = new PlaceBrowser();
    await browser.go({ bucket: 'b', prefix: 'a/c/' });
    expect(browser.crumbs.map((crumb) => crumb.label)).toEqual(['Buckets', 'b', 'a', 'c']);
    browser.up();
    expect(host.argumentsOf('list_place').at(-1)).toEqual({ bucket: 'b', prefix: 'a/', after: null });
  });

  it('shows a page after the other', async () => {
    install({
      list_place: ({ after }) =>
        after === null
          ? { folders: [], objects: [object('1')], next: 'more' }
          : { folders: [], objects: [object('2')], next: null },
    });
    const browser = new PlaceBrowser();
    await browser.go({ bucket: 'b', prefix: '' });
    expect(browser.hasMore).toBe(true);
    await browser.more();
    expect(browser.objects.map((one) => one.key)).toEqual(['1', '2']);
    expect(browser.hasMore).toBe(false);
  });

  it('takes the answer to the last question when answers overtake each other', async () => {
    let release = (): void => undefined;
    const first = new Promise<void>((resolve) => (release = resolve));
    install({
      list_place: async ({ prefix }) => {
        if (prefix === 'slow/') await first;
        return { folders: [], objects: [object(`${prefix}x`)], next: null };
      },
    });
    const browser = new PlaceBrowser();
    const slow = browser.go({ bucket: 'b', prefix: 'slow/' });
    await browser.go({ bucket: 'b', prefix: 'quick/' });
    release();
    await slow;
    expect(browser.objects.map((one) => one.key)).toEqual(['quick/x']);
  });

  it('says what stands in the way', async () => {
    install({
      buckets: () => {
        throw { code: 'accessDenied', message: 'No s3:ListAllMyBuckets.', detail: null, hint: null };
      },
    });
    const browser = new PlaceBrowser();
    await browser.go(null);
    expect(browser.error?.message).toBe('No s3:ListAllMyBuckets.');
    expect(browser.loading).toBe(false);
  });
});
