import { beforeEach, describe, expect, it, vi } from 'vitest';

import { content, record, say } from '../../../testing/dataset-fixtures';
import { install, later } from '../../../testing/install';
import type { TestHost } from '../../../testing/test-host';
import type { RecordContent } from '../../contract';
import { RecordDraft } from './record-draft.svelte';

let host: TestHost;
let draft: RecordDraft;

beforeEach(async () => {
  host = install({
    record: ({ position }) =>
      record(position, [say('user', `prompt ${position}`), say('assistant', 'answer')]),
    check_record: ({ body, position }) =>
      content(body.kind === 'turns' ? body.turns : [say('user', 'from JSON')], position),
    fix_draft: ({ body }) =>
      content(
        (body.kind === 'turns' ? body.turns : []).map((turn) =>
          say(turn.role, (turn.content[0]?.text ?? '').replace('User: ', '')),
        ),
      ),
  });
  draft = new RecordDraft({ dataset: 'd', baseModel: () => 'm' });
  await draft.load(3);
});

function type(turn: number, text: string): void {
  const block = draft.turns[turn]?.content[0];
  if (block) block.text = text;
  draft.typed();
}

describe('a record that is being written', () => {
  it('is checked as one types, and nothing is stored by that', async () => {
    type(1, 'Well. User: said so.');
    await vi.waitFor(() => expect(draft.content?.findings.map((one) => one.rule)).toEqual(['reserved-word']));
    expect(draft.content?.findings[0]?.marks).toEqual([{ turn: 1, block: 0, start: 6, end: 11 }]);
    expect(host.argumentsOf('edit_record')).toEqual([]);
  });

  it('is checked one question at a time, and the last state always', async () => {
    const slow = later<RecordContent>();
    host.handlers.check_record = () => slow.promise;
    for (const text of ['a', 'ab', 'abc']) type(1, text);
    expect(host.argumentsOf('check_record')).toHaveLength(1);
    host.handlers.check_record = ({ body }) => content(body.kind === 'turns' ? body.turns : []);
    slow.resolve(content([]));
    await vi.waitFor(() => expect(draft.content?.turns[1]?.content[0]?.text).toBe('abc'));
    expect(host.argumentsOf('check_record')).toHaveLength(2);
  });

  it('asks for the record itself only where another face of it is shown', async () => {
    type(1, 'better');
    await vi.waitFor(() => expect(draft.content?.turns[1]?.content[0]?.text).toBe('better'));
    await draft.turnTo('json');
    expect(host.argumentsOf('check_record').map((one) => one.whole)).toEqual([false, true]);
  });

  it('can be taken back', () => {
    type(0, 'worse');
    expect(draft.dirty).toBe(true);
    draft.revert();
    expect(draft.dirty).toBe(false);
    expect(draft.turns[0]?.content[0]?.text).toBe('prompt 3');
  });

  it('can be mended before it is stored', async () => {
    type(1, 'Well. User: said so.');
    await draft.fix('reserved-word');
    expect(draft.turns[1]?.content[0]?.text).toBe('Well. said so.');
    expect(draft.dirty).toBe(true);
  });

  it('drops a system prompt that was left empty', () => {
    draft.addSystem();
    expect(draft.turns).toHaveLength(3);
    expect(draft.dirty).toBe(false);
  });
});

describe('turns', () => {
  it('are added for the other side, moved and removed', () => {
    draft.addTurn();
    expect(draft.turns.map((turn) => turn.role)).toEqual(['user', 'assistant', 'user']);
    draft.moveTurn(2, -1);
    expect(draft.turns.map((turn) => turn.role)).toEqual(['user', 'user', 'assistant']);
    draft.removeTurn(0);
    expect(draft.turns.map((turn) => turn.role)).toEqual(['user', 'assistant']);
    expect(draft.body()).toEqual({ kind: 'turns', turns: [say('user', ''), say('assistant', 'answer')] });
  });
});

describe('the JSON of a record', () => {
  it('is laid out for reading, and opening it is no edit', async () => {
    await draft.turnTo('json');
    expect(draft.json).toContain('\n');
    expect(draft.dirty).toBe(false);
  });

  it('follows what was typed in the form', async () => {
    type(0, 'asked otherwise');
    await draft.turnTo('json');
    expect(draft.json).toContain('asked otherwise');
  });

  it('is sent on one line, and is followed by the form', async () => {
    await draft.turnTo('json');
    draft.json = '{\n  "messages": []\n}';
    draft.typed('json');
    expect(draft.body()).toEqual({ kind: 'json', json: '{"messages":[]}' });
    await draft.turnTo('form');
    expect(draft.turns[0]?.content[0]?.text).toBe('from JSON');
    expect(draft.dirty).toBe(true);
  });

  it('is what is shown of a line that cannot be read as turns', () => {
    const broken = {
      ...content([]),
      json: '{"a":',
      problem: { message: 'cut', hint: null, start: 4, end: 5 },
    };
    draft.show({ ...record(9), content: broken });
    expect(draft.face).toBe('json');
    expect(draft.json).toBe('{"a":');
  });
});
