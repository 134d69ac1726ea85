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

test('a press right after typing is not lost, and starts nothing that was not said', async () => {
  const host = open('#/evaluations/new');
  render(EvaluationsScreen);
  const start = await screen.findByTestId<HTMLButtonElement>('evaluation-start');
  await waitFor(() => expect(start.disabled).toBe(false));
  await userEvent.type(screen.getByTestId('evaluation-records'), '7');
  await userEvent.click(start);
  await waitFor(() => expect(start.textContent).toContain('Ask 21 prompts'));
  expect(host.argumentsOf('start_evaluation')).toHaveLength(0);
  await userEvent.clear(screen.getByTestId('evaluation-max-tokens'));
  await userEvent.type(screen.getByTestId('evaluation-max-tokens'), '48');
  await userEvent.click(start);
  await waitFor(() => expect(host.argumentsOf('start_evaluation')[0]?.maxTokens).toBe(48));
});

test('a metric of its own goes with it once it has an expression', async () => {
  const host = open('#/evaluations/new');
  render(EvaluationsScreen);
  await userEvent.click(await screen.findByTestId('measure-add'));
  await userEvent.click(screen.getByTestId('measure-add'));
  await userEvent.type(screen.getByTestId('measure-0-expression'), 'size(answer) < 9');
  await waitFor(() =>
    expect(host.argumentsOf('plan_evaluation').at(-1)?.measures).toEqual([
      { name: 'Own 1', expression: 'size(answer) < 9' },
    ]),
  );
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

test('a judge is asked with the prompt as it stands, once it has room for the answers', async () => {
  const host = open('#/evaluations/e-1');
  render(EvaluationsScreen);
  await userEvent.click(await screen.findByTestId('judge-ask'));
  const prompt = await screen.findByTestId<HTMLTextAreaElement>('judge-prompt');
  const start = screen.getByTestId<HTMLButtonElement>('judge-start');
  await waitFor(() => expect(start.disabled).toBe(false));
  await userEvent.clear(prompt);
  await userEvent.type(prompt, 'Only {{a}');
  await screen.findByText('It needs {a} and {b}.');
  await waitFor(() => expect(start.disabled).toBe(true));
  await userEvent.selectOptions(screen.getByTestId('judge-kind'), 'rubric');
  await waitFor(() => expect(start.textContent).toContain('1,200'));
  await userEvent.click(start);
  const [sent] = host.argumentsOf('start_judge');
  expect(sent?.judge.kind).toBe('rubric');
  expect(sent?.judge.prompt).toContain('{answer}');
  await waitFor(() => expect(screen.queryByTestId('judge-dialog')).toBeNull());
});

test('what a judge said is shown, with what could not be read', async () => {
  const host = open('#/evaluations/e-1');
  render(EvaluationsScreen);
  expect((await screen.findByTestId('judge-unreadable')).textContent).toContain('14 answers');
  expect(screen.getByTestId('judge-people').textContent).toContain('0.71');
  await userEvent.click(screen.getByTestId('judge-open'));
  expect(await screen.findAllByTestId('judge-row')).toHaveLength(2);
  await userEvent.click(screen.getByTestId('judge-rows-unreadable'));
  await waitFor(() => expect(screen.getAllByTestId('judge-row')).toHaveLength(1));
  expect(host.argumentsOf('judge_rows').at(-1)?.which).toBe('unreadable');
});

test('a duel is voted on by the keyboard alone, and a vote is taken back', async () => {
  const host = open('#/evaluations/e-1?duel=2');
  render(EvaluationsScreen);
  await userEvent.type(await screen.findByTestId('duel-rater'), 'Ann{Enter}');
  expect((await screen.findByTestId('duel-prompt')).textContent).toContain('still waiting');
  await userEvent.keyboard('{ArrowRight}');
  await waitFor(() => expect(screen.getByTestId('duel-prompt').textContent).toContain('Is there a way'));
  await userEvent.keyboard('{Backspace}');
  await waitFor(() => expect(screen.getByTestId('duel-prompt').textContent).toContain('still waiting'));
  await userEvent.keyboard('x');
  await waitFor(() => expect(screen.getByTestId('duel-prompt').textContent).toContain('Is there a way'));
  await userEvent.keyboard('{ArrowDown}');
  await screen.findByTestId('duel-done');
  expect(
    host.argumentsOf('vote').map((vote) => [vote.rater, vote.candidate, vote.position, vote.choice]),
  ).toEqual([
    ['Ann', 2, 11, 'right'],
    ['Ann', 2, 11, 'bothBad'],
    ['Ann', 2, 12, 'tie'],
  ]);
  await userEvent.keyboard('{Escape}');
  expect(router.route.query.get('duel')).toBeNull();
});
