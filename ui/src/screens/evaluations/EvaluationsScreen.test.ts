import { render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, expect, test } from 'vitest';

import { install } from '../../../testing/install';
import { sceneHost } from '../../../testing/scenes';
import { app } from '../../state/app.svelte';
import { router } from '../../state/router.svelte';
import EvaluationsScreen from './EvaluationsScreen.svelte';

function open(address: string) {
  const host = install(sceneHost('busy', 'light').handlers);
  router.go(address);
  return host;
}

beforeEach(async () => {
  open('#/evaluations');
  await app.load();
});

test('the list says of each what it showed, or how far it is', async () => {
  open('#/evaluations');
  render(EvaluationsScreen);
  const rows = await screen.findAllByTestId('evaluation-row');
  expect(rows).toHaveLength(3);
  expect(screen.getByText('No clear difference')).toBeTruthy();
  expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('39');
});

test('a new evaluation begins with base, examples and tuned, and is started as it is shown', async () => {
  const host = open('#/evaluations/new');
  render(EvaluationsScreen);
  const start = await screen.findByTestId('evaluation-start');
  await waitFor(() => expect((start as HTMLButtonElement).disabled).toBe(false));
  const records = screen.getByTestId('evaluation-records');
  await userEvent.type(records, '120');
  await waitFor(() => expect(start.textContent).toContain('360'));
  await userEvent.click(start);
  const [sent] = host.argumentsOf('start_evaluation');
  expect(sent?.records).toBe(120);
  expect(sent?.candidates.map((one) => [one.tuned, one.examples])).toEqual([
    [false, 0],
    [false, 4],
    [true, 0],
  ]);
  expect(router.route.rest).toBe('e-2');
});

test('without a name it is not started, and says why', async () => {
  open('#/evaluations/new');
  render(EvaluationsScreen);
  await userEvent.clear(await screen.findByTestId('evaluation-name'));
  await screen.findByText('A name is needed.');
  await waitFor(() =>
    expect((screen.getByTestId('evaluation-start') as HTMLButtonElement).disabled).toBe(true),
  );
});

test('the verdict is said in words, and rows are shown side by side', async () => {
  const host = open('#/evaluations/e-1');
  render(EvaluationsScreen);
  expect((await screen.findByTestId('verdict-heading')).textContent).toBe('Yes, it helped.');
  expect(await screen.findAllByTestId('evaluation-case')).toHaveLength(2);
  await userEvent.click(screen.getByTestId('rows-lost'));
  await waitFor(() => expect(host.argumentsOf('evaluation_rows').at(-1)?.which).toBe('lost'));
});
