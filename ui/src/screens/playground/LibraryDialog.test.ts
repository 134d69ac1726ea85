import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';

import { install } from '../../../testing/install';
import type { LibraryPrompt } from '../../contract';
import LibraryDialog from './LibraryDialog.svelte';
import { playground } from './playground.svelte';

const kept: LibraryPrompt = {
  id: 'p-1',
  name: 'Triage',
  text: 'Sort {{ticket}}.',
  system: 'You work for {{company}}.',
  version: 1,
  changedAt: 1,
};

describe('the prompt library', () => {
  it('leads by keyboard from the list to the composer, with the system prompt', async () => {
    install({ prompts: () => [kept], prompt_versions: () => [kept] });
    const user = userEvent.setup();
    let closed = false;
    render(LibraryDialog, { onclose: () => (closed = true) });
    await user.click(await screen.findByTestId('library-row'));
    const company = await screen.findByLabelText('company');
    expect(document.activeElement).toBe(company);
    expect(screen.getByTestId<HTMLButtonElement>('library-insert').disabled).toBe(true);
    await user.keyboard('Ada & Co.');
    await user.tab();
    await user.keyboard('“no card”');
    await user.click(screen.getByTestId('library-insert'));
    expect(playground.prompt).toBe('Sort “no card”.');
    expect(playground.parameters.system).toBe('You work for Ada & Co..');
    expect(closed).toBe(true);
  });

  it('keeps what stands in the composer under a name', async () => {
    const host = install({
      prompts: () => [],
      prompt_versions: () => [kept],
      save_prompt: () => kept,
    });
    playground.prompt = 'Which colour is {{thing}}?';
    playground.parameters.system = '';
    const user = userEvent.setup();
    render(LibraryDialog, { onclose: () => undefined });
    await user.click(await screen.findByText('Keep the prompt below'));
    expect(document.activeElement).toBe(await screen.findByLabelText('Name'));
    await user.keyboard('Colours');
    await user.click(screen.getByTestId('library-save'));
    expect(host.argumentsOf('save_prompt')).toEqual([
      { id: null, name: 'Colours', text: 'Which colour is {{thing}}?', system: null },
    ]);
    expect(await screen.findByTestId('library-version')).toBeTruthy();
  });
});
