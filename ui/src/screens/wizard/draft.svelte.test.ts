import { beforeEach, describe, expect, it } from 'vitest';

import { dataset } from '../../../testing/dataset-fixtures';
import { nova, tiny } from '../../../testing/fixtures';
import { nextName, slug, suggestedNames, WizardDraft } from './draft.svelte';

beforeEach(() => window.localStorage.clear());

describe('a draft', () => {
  it('is kept when the window is left and opened again', () => {
    const before = new WizardDraft();
    before.set({ baseModel: tiny.id, dataset: 'd-1', jobName: 'my-job', advanced: true });
    before.setValue(tiny, 'epochCount', '7');

    const after = new WizardDraft();
    expect(after.baseModel).toBe(tiny.id);
    expect(after.dataset).toBe('d-1');
    expect(after.jobName).toBe('my-job');
    expect(after.advanced).toBe(true);
    expect(after.value(tiny, 'epochCount')).toBe('7');
  });

  it('keeps what was typed for one model while another is tried', () => {
    const draft = new WizardDraft();
    draft.setValue(tiny, 'epochCount', '7');
    draft.set({ baseModel: nova.id });
    expect(draft.value(nova, 'epochCount')).toBe('4');
    expect(draft.value(tiny, 'epochCount')).toBe('7');
  });

  it('sends every hyperparameter, changed or not', () => {
    const draft = new WizardDraft();
    draft.set({ baseModel: tiny.id, dataset: 'd-1' });
    draft.setValue(tiny, 'learningRate', ' 5e-4 ');
    const job = draft.asJob(tiny, { job: 'a-01', model: 'a-01-model' });
    expect(Object.keys(job.hyperparameters)).toEqual(tiny.hyperparameters.map((one) => one.key));
    expect(job.hyperparameters['learningRate']).toBe('5e-4');
    expect(job.jobName).toBe('a-01');
  });

  it('forgets a change that leads back to the default', () => {
    const draft = new WizardDraft();
    draft.setValue(tiny, 'epochCount', '7');
    draft.setValue(tiny, 'epochCount', '4');
    expect(draft.isChanged(tiny, 'epochCount')).toBe(false);
  });

  it('gives up its names after a start and keeps the choices', () => {
    const draft = new WizardDraft();
    draft.set({ baseModel: tiny.id, jobName: 'mine' });
    draft.started();
    expect(draft.jobName).toBeNull();
    expect(draft.baseModel).toBe(tiny.id);
  });

  it.each(['not json', 'null', '7', '{"baseModel'])('starts empty from %j in the storage', (text) => {
    window.localStorage.setItem('whetstone.draft', text);
    expect(new WizardDraft().empty).toBe(true);
  });
});

describe('suggested names', () => {
  it('are made of dataset and model, and number themselves', () => {
    const names = suggestedNames(tiny, dataset({ name: 'Support (2026)' }), ['support-2026-tiny-v1-01']);
    expect(names).toEqual({ job: 'support-2026-tiny-v1-02', model: 'support-2026-tiny-v1-02-model' });
  });

  it.each(['Ünïcode – names!', '---', '', 'a'.repeat(200), '日本語'])(
    'are names that AWS takes, from %j',
    (text) => {
      const name = nextName(slug(text), []);
      expect(name).toMatch(/^[a-zA-Z0-9](-*[a-zA-Z0-9+\-.])*$/);
      expect(name.length).toBeLessThanOrEqual(63 - '-model'.length);
    },
  );
});
