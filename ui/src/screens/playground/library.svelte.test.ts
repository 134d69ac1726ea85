import { beforeEach, describe, expect, it } from 'vitest';

import { install } from '../../../testing/install';
import type { TestHost } from '../../../testing/test-host';
import type { LibraryPrompt } from '../../contract';
import { Library } from './library.svelte';
import { fill, variables } from './placeholders';

describe('placeholders', () => {
  it('are asked for once each, in the order in which they come', () => {
    expect(
      variables('{{ tone }} {{ticket}}', 'As {{tone}}: {{ order-id }} {{}} {{ a\nb }} {single}'),
    ).toEqual(['tone', 'ticket', 'order-id']);
  });

  it('are filled once, whatever is filled in', () => {
    const values = new Map([
      ['a', '{{b}} $& $1'],
      ['b', 'two'],
    ]);
    expect(fill('{{a}}-{{ b }}-{{c}}', values)).toBe('{{b}} $& $1-two-{{c}}');
  });
});

describe('the prompt library', () => {
  const first: LibraryPrompt = {
    id: 'p-1',
    name: 'Triage',
    text: 'Sort {{ticket}} in a {{tone}} tone.',
    system: 'You work for {{company}}.',
    version: 1,
    changedAt: 1,
  };
  let kept: LibraryPrompt[];
  let host: TestHost;
  let library: Library;

  beforeEach(() => {
    kept = [first];
    const add = (over: Partial<LibraryPrompt>): LibraryPrompt => {
      const version: LibraryPrompt = {
        ...first,
        ...over,
        version: kept.length + 1,
        changedAt: kept.length + 1,
      };
      kept = [version, ...kept];
      return version;
    };
    host = install({
      prompts: () => kept.slice(0, 1),
      prompt_versions: () => kept,
      save_prompt: ({ name, text, system }) => add({ name, text, system }),
      restore_prompt: ({ version }) => add(kept.find((one) => one.version === version) ?? {}),
      delete_prompt: () => {
        kept = [];
        return {};
      },
    });
    library = new Library();
  });

  it('uses a prompt once all its variables are filled in', async () => {
    await library.choose(first);
    expect(library.variables).toEqual(['company', 'ticket', 'tone']);
    library.values.set('ticket', '“no card”');
    library.values.set('tone', ' ');
    library.values.set('company', 'Ada & Co.');
    expect(library.complete).toBe(false);
    library.values.set('tone', 'calm');
    expect(library.complete).toBe(true);
    expect(library.filled).toEqual({
      text: 'Sort “no card” in a calm tone.',
      system: 'You work for Ada & Co..',
    });
    await library.choose(first);
    expect(library.complete).toBe(false);
  });

  it('makes a version of a change, and brings an older one back as the newest', async () => {
    await library.choose(first);
    library.values.set('tone', 'calm');
    library.edit();
    if (library.draft) library.draft.text = 'File {{ticket}}.';
    await library.save();
    expect(host.argumentsOf('save_prompt')).toEqual([
      { id: 'p-1', name: 'Triage', text: 'File {{ticket}}.', system: first.system },
    ]);
    expect([library.chosen?.version, library.older.map((one) => one.version)]).toEqual([2, [1]]);
    expect(library.values.get('tone')).toBe('calm');
    await library.restore(1);
    expect([library.chosen?.version, library.chosen?.text]).toEqual([3, first.text]);
    expect(library.older.map((one) => one.version)).toEqual([2, 1]);
  });

  it('keeps a draft that could not be saved', async () => {
    host.handlers.save_prompt = () => Promise.reject(new Error('full'));
    library.begin('What is {{thing}}?', ' ');
    if (library.draft) library.draft.name = 'What';
    await library.save();
    expect(library.error?.detail).toBe('full');
    expect(library.draft?.text).toBe('What is {{thing}}?');
    expect(host.argumentsOf('save_prompt')[0]?.system).toBeNull();
  });

  it('forgets a prompt with all its versions', async () => {
    await library.list.reload();
    await library.forget(first);
    expect(library.list.value).toEqual([]);
  });
});
