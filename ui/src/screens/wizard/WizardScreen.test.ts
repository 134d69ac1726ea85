import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';

import { dataset, report } from '../../../testing/dataset-fixtures';
import { baseModels, connection, job, nova, plan } from '../../../testing/fixtures';
import { install } from '../../../testing/install';
import { wizardAnswers } from '../../../testing/wizard-answers';
import type { JobPlan } from '../../contract';
import { app } from '../../state/app.svelte';
import { router } from '../../state/router.svelte';
import { draft } from './draft.svelte';
import WizardScreen from './WizardScreen.svelte';

async function open(address: string, planned: Partial<JobPlan> = {}) {
  const host = install({
    start: () => ({
      version: '1',
      settings: { theme: 'light', monthlyBudgetUsd: null, transferLimit: null },
      connection,
      openedFile: null,
    }),
    connections: () => [connection],
    datasets: () => [dataset({ id: 'd-1' })],
    base_models: () => baseModels,
    jobs: () => [],
    activities: () => [],
    findings: () => report({ errors: 0, warnings: 0, notes: 0, rules: [] }),
    plan_job: (draft) => ({ ...plan(draft), ...planned }),
    ...wizardAnswers(),
    start_job: () => job({ id: 'j-new' }),
  });
  await app.load();
  router.go(address);
  render(WizardScreen, { props: { onopen: () => Promise.resolve() } });
  return host;
}

beforeEach(async () => {
  install(wizardAnswers());
  await draft.remove();
});

describe('the wizard', () => {
  it('says at once that a setting is out of range, and mends it with one press', async () => {
    await open(`#/fine-tune/settings?dataset=d-1&model=${nova.id}`);
    const field = await screen.findByTestId<HTMLInputElement>('hp-batchSize');
    await userEvent.clear(field);
    await userEvent.type(field, '96');

    expect(screen.getByTestId('hp-batchSize-problem').textContent).toContain('Nova Lite takes at most 64.');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(screen.getByTestId<HTMLButtonElement>('wizard-next').disabled).toBe(true);

    await userEvent.click(screen.getByTestId('hp-batchSize-use'));
    expect(field.value).toBe('64');
    expect(screen.queryByTestId('hp-batchSize-problem')).toBeNull();
    expect(screen.getByTestId<HTMLButtonElement>('wizard-next').disabled).toBe(false);
  });

  it('keeps what was typed when one goes elsewhere and comes back', async () => {
    await open(`#/fine-tune/settings?dataset=d-1&model=${nova.id}`);
    const field = await screen.findByTestId<HTMLInputElement>('hp-epochCount');
    await userEvent.clear(field);
    await userEvent.type(field, '9');
    cleanup();

    render(WizardScreen, { props: { onopen: () => Promise.resolve() } });
    expect(screen.getByTestId<HTMLInputElement>('hp-epochCount').value).toBe('9');
  });

  it('shows what the workbench has against a setting on that setting', async () => {
    await open(`#/fine-tune/settings?dataset=d-1&model=${nova.id}`, {
      problems: [{ field: 'epochCount', message: 'Too many for so few records.', suggestion: '2' }],
    });
    expect((await screen.findByTestId('hp-epochCount-problem')).textContent).toContain('Too many');
    await userEvent.click(screen.getByTestId('hp-epochCount-use'));
    expect(screen.getByTestId<HTMLInputElement>('hp-epochCount').value).toBe('2');
  });

  it('says the price on the button and goes to the job that was started', async () => {
    const host = await open(`#/fine-tune/review?dataset=d-1&model=${nova.id}`);
    const start = await screen.findByTestId<HTMLButtonElement>('start-job');
    await waitFor(() => expect(start.disabled).toBe(false));
    expect(start.textContent?.trim()).toBe('Start · free');

    await userEvent.click(start);
    await waitFor(() => expect(router.route.rest).toBe('j-new'));
    expect(host.argumentsOf('start_job')[0]?.baseModel).toBe(nova.id);
  });

  it('does not start while something stands in the way', async () => {
    await open(`#/fine-tune/review?dataset=d-1&model=${nova.id}`, {
      problems: [{ field: 'dataset', message: 'Three records break a rule.', suggestion: null }],
    });
    expect((await screen.findByTestId('plan-problems')).textContent).toContain('Three records break a rule.');
    expect(screen.getByTestId<HTMLButtonElement>('start-job').disabled).toBe(true);
  });

  it('leads from a goal to a kind of training and a model that suits it', async () => {
    await open('#/fine-tune/goal');
    await userEvent.click(await screen.findByTestId('goal-distill'));
    expect(draft.type).toBe('distillation');
    expect(draft.job.baseModel).toBe(nova.id);
    expect(screen.getByTestId('goal-why').textContent).toContain('A teacher answers your prompts');
    expect(screen.getByTestId<HTMLInputElement>('type-distillation').checked).toBe(true);
  });

  it('shows the call that would be sent', async () => {
    const host = await open(`#/fine-tune/settings?dataset=d-1&model=${nova.id}`);
    const show = screen.getByTestId<HTMLButtonElement>('show-call');
    await waitFor(() => expect(show.disabled).toBe(false));
    await userEvent.click(show);
    expect((await screen.findByTestId('call-text')).textContent).toContain(
      '--customization-type FINE_TUNING',
    );
    expect(host.argumentsOf('show_call')[0]?.baseModel).toBe(nova.id);
  });

  it('starts a job for each value of a sweep', async () => {
    const host = await open(`#/fine-tune/settings?dataset=d-1&model=${nova.id}`);
    await userEvent.selectOptions(await screen.findByTestId('sweep-key'), 'learningRate');
    await userEvent.type(screen.getByTestId('sweep-values'), '1e-4, 5e-4, 9');
    expect(screen.getByTestId('sweep-note').textContent).toContain('takes at most');
    await userEvent.type(screen.getByTestId('sweep-values'), '{backspace}1e-3');
    router.go('#/fine-tune/review');
    const start = await screen.findByTestId<HTMLButtonElement>('start-job');
    await waitFor(() => expect(start.disabled).toBe(false));
    expect(start.textContent?.trim()).toBe('Start 3 jobs · free');
    await userEvent.click(start);
    await waitFor(() => expect(host.argumentsOf('start_sweep')[0]?.values).toEqual(['1e-4', '5e-4', '1e-3']));
  });

  it('takes up a job with a change that an address names', async () => {
    await open('#/fine-tune/settings?clone=j-1&set.epochCount=1');
    await waitFor(() => expect(draft.job.jobName).toBe('support-answers-04'));
    expect((await screen.findByTestId<HTMLInputElement>('hp-epochCount')).value).toBe('1');
  });

  it('advises what suits the data and takes it over with one press', async () => {
    await open(`#/fine-tune/settings?dataset=d-1&model=${nova.id}`);
    await userEvent.click(await screen.findByTestId('hp-advice'));
    expect(draft.value(nova, 'learningRateWarmupSteps')).toBe('51');
  });
});
