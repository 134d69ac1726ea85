import { beforeEach, describe, expect, it } from 'vitest';

import { dataset } from '../../../testing/dataset-fixtures';
import { draft as job, nova, tiny } from '../../../testing/fixtures';
import { install, later } from '../../../testing/install';
import type { TestHost } from '../../../testing/test-host';
import { wizardAnswers } from '../../../testing/wizard-answers';
import { nextName, slug, suggestedNames, WizardDraft } from './draft.svelte';

let host: TestHost;

beforeEach(() => {
  host = install(wizardAnswers());
});

async function settled(draft: WizardDraft): Promise<void> {
  while (draft.pending) await Promise.resolve();
}

describe('a draft', () => {
  it('is kept when the window is left and opened again', async () => {
    const before = new WizardDraft();
    before.setJob({ baseModel: tiny.id, dataset: 'd-1', jobName: 'my-job' });
    before.set({ advanced: true, goal: 'support' });
    before.setValue(tiny, 'epochCount', '7');
    await settled(before);

    const after = new WizardDraft();
    await after.load();
    expect(after.id).toBe(before.id);
    expect(after.job.dataset).toBe('d-1');
    expect(after.job.jobName).toBe('my-job');
    expect(after.goal).toBe('support');
    expect(after.advanced).toBe(true);
    expect(after.value(tiny, 'epochCount')).toBe('7');
  });

  it('writes the last of many changes, and one at a time', async () => {
    const gate = later<null>();
    const written: string[] = [];
    host.handlers.save_draft = async (saved) => {
      written.push(saved.job.jobName);
      if (written.length === 1) await gate.promise;
      return saved;
    };
    const draft = new WizardDraft();
    for (const jobName of ['a', 'ab', 'abc']) draft.setJob({ jobName });
    expect(written).toEqual(['a']);
    gate.resolve(null);
    await settled(draft);
    expect(written).toEqual(['a', 'abc']);
  });

  it('says when it is not on disk', async () => {
    host.handlers.save_draft = () => {
      throw new Error('full');
    };
    const draft = new WizardDraft();
    draft.setJob({ jobName: 'a' });
    await settled(draft);
    expect(draft.error).not.toBeNull();
  });

  it('keeps what was typed for one model while another is tried', () => {
    const draft = new WizardDraft();
    draft.setValue(tiny, 'epochCount', '7');
    draft.setModel(nova);
    expect(draft.value(nova, 'epochCount')).toBe('4');
    expect(draft.value(tiny, 'epochCount')).toBe('7');
  });

  it('sends every hyperparameter, changed or not', () => {
    const draft = new WizardDraft();
    draft.setJob({ baseModel: tiny.id, dataset: 'd-1' });
    draft.setValue(tiny, 'learningRate', ' 5e-4 ');
    const sent = draft.asJob(tiny, { job: 'a-01', model: 'a-01-model' });
    expect(Object.keys(sent.hyperparameters)).toEqual(tiny.hyperparameters.map((one) => one.key));
    expect(sent.hyperparameters['learningRate']).toBe('5e-4');
    expect(sent.jobName).toBe('a-01');
  });

  it('forgets a change that leads back to the default', () => {
    const draft = new WizardDraft();
    draft.setValue(tiny, 'epochCount', '7');
    draft.setValue(tiny, 'epochCount', '4');
    expect(draft.isChanged(tiny, 'epochCount')).toBe(false);
  });

  it('brings a teacher along for a distillation and drops it with the kind', () => {
    const draft = new WizardDraft();
    draft.setType('distillation');
    draft.setModel(nova);
    expect(draft.job.teacher?.model).toBe('amazon.nova-pro-v1:0');
    draft.setType('fineTuning');
    expect(draft.job.teacher).toBeNull();
  });

  it('takes up a job with only what differs from the defaults as changed', () => {
    const draft = new WizardDraft();
    draft.take(job({ hyperparameters: { epochCount: '7', batchSize: '16' } }), [nova]);
    expect(draft.isChanged(nova, 'epochCount')).toBe(true);
    expect(draft.isChanged(nova, 'batchSize')).toBe(false);
  });

  it('is put aside for another one and can be resumed', () => {
    const draft = new WizardDraft();
    draft.setJob({ baseModel: tiny.id });
    const first = draft.id;
    draft.begin();
    expect(draft.empty).toBe(true);
    draft.setJob({ baseModel: nova.id });
    draft.resume(first);
    expect(draft.job.baseModel).toBe(tiny.id);
    expect(draft.others.map((one) => one.job.baseModel)).toEqual([nova.id]);
  });

  it('is gone after a start', async () => {
    const draft = new WizardDraft();
    draft.setJob({ baseModel: tiny.id });
    await settled(draft);
    await draft.remove();
    expect(draft.empty).toBe(true);
    const after = new WizardDraft();
    await after.load();
    expect(after.empty).toBe(true);
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
