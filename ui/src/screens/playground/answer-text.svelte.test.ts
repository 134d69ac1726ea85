import { mount, unmount, flushSync } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';

import AnswerText from './AnswerText.svelte';
import { parts, visible } from './answer-text';

let shown: ReturnType<typeof mount> | null = null;

function show(text: string): HTMLElement {
  const target = document.createElement('div');
  document.body.append(target);
  shown = mount(AnswerText, { target, props: { text } });
  flushSync();
  return target;
}

/** Milliseconds that it takes to be on the page. */
function timed(text: string): { target: HTMLElement; took: number } {
  const began = performance.now();
  const target = show(text);
  return { target, took: performance.now() - began };
}

afterEach(async () => {
  if (shown) await unmount(shown);
  shown = null;
  document.body.replaceChildren();
});

describe('an answer', () => {
  it('is laid out where it is markdown', () => {
    const target = show(
      '# Steps\n\n1. Open **it**\n2. Run `ls`\n\n```sh\nls -l\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |',
    );
    expect(target.querySelectorAll('ol li')).toHaveLength(2);
    expect(target.querySelector('strong')?.textContent).toBe('it');
    expect(target.querySelector('pre code')?.textContent).toBe('ls -l');
    expect(target.querySelectorAll('td')).toHaveLength(2);
  });

  it('is laid out where it is JSON', () => {
    expect(show('{"a":[1,2]}').querySelector('pre')?.textContent).toContain('"a": [');
  });

  it('shows characters that markup would escape as they are', () => {
    expect(show('a < b && "c" `x<y>`').textContent).toContain('a < b && "c" x<y>');
  });
});

describe('a hostile answer', () => {
  it('with script tags and handlers is text', () => {
    const text =
      'Hi <script>window.hit = 1</script> <img src=x onerror="window.hit = 1"> <b onclick="x">b</b>';
    const target = show(`${text}\n\n<iframe src="javascript:alert(1)"></iframe>`);
    expect(target.querySelector('script, img, iframe, [onclick], [onerror]')).toBeNull();
    expect(target.textContent).toContain('<script>window.hit = 1</script>');
    expect('hit' in window).toBe(false);
  });

  it('with links leads nowhere', () => {
    const target = show(
      '[a](javascript:alert(1)) [b](https://evil.example) ![c](http://evil.example/x.png) <https://x.example>',
    );
    expect(target.querySelector('a, img, [href], [src]')).toBeNull();
    expect(target.textContent).toContain('javascript:alert(1)');
  });

  it('of a megabyte without a space is there at once, cut, with the rest on demand', () => {
    const { target, took } = timed('x'.repeat(1_000_000));
    expect(took).toBeLessThan(500);
    expect(target.querySelector('p')?.textContent?.length).toBe(20_000);
    target.querySelector<HTMLButtonElement>('[data-testid="answer-all"]')?.click();
    flushSync();
    expect(target.querySelector('p')?.textContent?.length).toBe(1_000_000);
  });

  it('with control characters and overrides shows them by name', () => {
    expect(visible('a\u0000b\u001b[31m')).toBe('a⟨U+0000⟩b⟨U+001B⟩[31m');
    const target = show('user\u202Etxt.exe\u2066\u200B');
    expect(target.textContent).toContain('user⟨U+202E⟩txt.exe⟨U+2066⟩⟨U+200B⟩');
  });

  it.each([
    ['brackets', '['.repeat(50_000)],
    ['nested quotations', '> '.repeat(15_000) + 'x'],
    [
      'nested lists',
      Array.from({ length: 300 }, (_, n) => `${'  '.repeat(n)}- x`)
        .join('\n')
        .slice(0, 40_000),
    ],
    ['stars', '*a '.repeat(13_000)],
    ['backquotes', '`'.repeat(39_000)],
    ['a table', `|${'a|'.repeat(900)}\n|${'-|'.repeat(900)}\n`.repeat(8)],
    ['links', '[a](b'.repeat(7000)],
    ['entities', '&lt;'.repeat(9000)],
  ])('that is a bomb of %s is there at once', (_, text) => {
    const { target, took } = timed(text);
    expect(took).toBeLessThan(1500);
    expect(target.textContent?.length).toBeGreaterThan(0);
  });

  it('nested too deeply is shown as it is', () => {
    expect(parts(`${'> '.repeat(40)}x`)).toBeNull();
  });
});
