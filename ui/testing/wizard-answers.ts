/** Answers to the wizard's calls: drafts that are kept, a catalog, a call, a first batch, recipes. */
import type { SavedDraft } from '../src/contract';
import * as fixture from './fixtures';
import type { Handlers } from './test-host';

export function wizardAnswers(kept: SavedDraft[] = []): Handlers {
  let drafts = [...kept];
  return {
    catalog: () => fixture.catalog,
    drafts: () => drafts,
    save_draft: (draft) => {
      drafts = [structuredClone(draft), ...drafts.filter((one) => one.id !== draft.id)];
      return draft;
    },
    delete_draft: ({ draft }) => {
      drafts = drafts.filter((one) => one.id !== draft);
      return {};
    },
    clone_job: () => fixture.draft(),
    show_call: () => fixture.shownCall,
    first_batch: () => fixture.firstBatch,
    save_recipe: () => ({ file: '/home/ada/support-answers-04.toml' }),
    open_recipe: () => ({
      name: 'support-answers',
      goal: 'support',
      job: fixture.draft({ dataset: '' }),
      missing: ['The dataset “tickets” is not open here.'],
    }),
    start_sweep: ({ values }) =>
      values.map((value) => fixture.job({ id: `j-${value}`, name: `sweep-${value}` })),
  };
}
