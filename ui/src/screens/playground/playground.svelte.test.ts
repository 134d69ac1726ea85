import { beforeEach, describe, expect, it } from 'vitest';

import { playable } from '../../../testing/fixtures';
import { install, later } from '../../../testing/install';
import type { TestHost } from '../../../testing/test-host';
import type { Reply } from '../../contract';
import type { Column } from './column.svelte';
import { Playground } from './playground.svelte';
import { sameAnswer, stopWords, tokensPerSecond } from './reply-words';

const reply = (text: string): Reply => ({
  text,
  stopReason: 'end_turn',
  inputTokens: 9,
  outputTokens: 5,
  firstTokenMs: 40,
  totalMs: 240,
  cost: { usd: 0, note: 'Answers on this computer are not billed.' },
  rawRequest: '{}',
  rawResponse: '{}',
});

function column(at: number): Column {
  const found = playground.columns[at];
  if (!found) throw new Error(`There is no column ${at}.`);
  return found;
}

let host: TestHost;
let playground: Playground;

beforeEach(async () => {
  host = install({
    playable_models: () => playable,
    hold_out_prompt: ({ index }) => ({
      position: index,
      prompt: `held ${index}`,
      completion: `answer ${index}`,
    }),
    send_prompt: ({ modelId }) => reply(modelId === 'whetstone.tiny-v1' ? 'the house' : 'card_arrival'),
    cancel_prompt: () => ({}),
    save_conversation: () => ({}),
    prompt_frame: () => ({ system: 'Be brief.', before: 'Classify: ', after: '\nLabel:', records: 200 }),
  });
  playground = new Playground();
  await playground.open(null);
});

describe('opening the playground', () => {
  it('puts the tuned model beside its own base', () => {
    expect(playground.columns.map((column) => column.modelId)).toEqual([
      playable[0]?.modelId,
      playable[1]?.modelId,
    ]);
  });

  it('from a job fills in a hold-out prompt', async () => {
    await playground.open('j-2');
    expect(playground.prompt).toBe('held 0');
    expect(playground.holdOut?.completion).toBe('answer 0');
  });

  it('does not write over what was being typed', async () => {
    playground.prompt = 'my own words';
    await playground.open('j-2');
    expect(playground.prompt).toBe('my own words');
  });
});

describe('a prompt', () => {
  it('goes to both columns in the same words', async () => {
    playground.prompt = 'Where is my card?';
    await playground.send();
    const sent = host.argumentsOf('send_prompt');
    expect(sent.map((one) => one.modelId)).toEqual([playable[0]?.modelId, playable[1]?.modelId]);
    expect(sent.map((one) => one.turns)).toEqual([
      [{ role: 'user', text: 'Where is my card?', attachments: [] }],
      [{ role: 'user', text: 'Where is my card?', attachments: [] }],
    ]);
    expect(playground.columns.map((column) => column.exchanges[0]?.text)).toEqual([
      'the house',
      'card_arrival',
    ]);
  });

  it('grows as it is answered, each piece in its own column', async () => {
    const answers = [later<Reply>(), later<Reply>()] as const;
    let at = 0;
    host.handlers.send_prompt = () => answers[at++ === 0 ? 0 : 1].promise;
    playground.prompt = 'hello';
    const sent = playground.send();
    const requests = host.argumentsOf('send_prompt').map((one) => one.request);
    playground.hear({ event: 'replyText', request: requests[1] ?? '', text: 'card' });
    playground.hear({ event: 'replyText', request: requests[1] ?? '', text: '_arrival' });
    playground.hear({ event: 'replyText', request: 'somebody else', text: 'noise' });
    expect(playground.columns.map((column) => column.exchanges[0]?.text)).toEqual(['', 'card_arrival']);
    expect(playground.busy).toBe(true);
    answers[0].resolve(reply('a'));
    answers[1].resolve(reply('card_arrival'));
    await sent;
    expect(playground.busy).toBe(false);
  });

  it('reminds a model of what was said before, in turns', async () => {
    playground.prompt = 'one';
    await playground.send();
    playground.prompt = 'two';
    await playground.send();
    expect(
      host
        .argumentsOf('send_prompt')
        .at(-1)
        ?.turns.map((turn) => turn.role),
    ).toEqual(['user', 'assistant', 'user']);
  });

  it('that failed says so in its column, is not part of the conversation, and can be put again', async () => {
    const good = host.handlers.send_prompt;
    host.handlers.send_prompt = (request) =>
      request.modelId === 'whetstone.tiny-v1'
        ? Promise.reject({ code: 'throttled', message: 'Too many requests.', detail: null, hint: null })
        : reply('card_arrival');
    playground.prompt = 'one';
    await playground.send();
    const [left, right] = [column(0), column(1)];
    expect(left.exchanges[0]?.error?.code).toBe('throttled');
    expect(right.exchanges[0]?.error).toBeNull();

    if (good) host.handlers.send_prompt = good;
    await playground.branch(left, 0, { prompt: 'one', attachments: [] });
    expect(left.exchanges.length).toBe(1);
    expect(left.exchanges[0]?.text).toBe('the house');
    expect(host.argumentsOf('send_prompt').at(-1)?.turns).toEqual([
      { role: 'user', text: 'one', attachments: [] },
    ]);
  });

  it('goes to every column that was not let go', async () => {
    playground.addColumn();
    column(2).choose('whetstone.tiny-v1');
    column(0).inSync = false;
    playground.prompt = 'one';
    await playground.send();
    expect(playground.columns.map((one) => one.exchanges.length)).toEqual([0, 1, 1]);
    await playground.askOne(column(0), 'for this one alone');
    expect(host.argumentsOf('send_prompt').at(-1)?.turns.at(-1)?.text).toBe('for this one alone');
  });

  it('that is put otherwise leaves what was answered as a branch', async () => {
    playground.prompt = 'one';
    await playground.send();
    playground.prompt = 'two';
    await playground.send();
    const right = column(1);
    await playground.branch(right, 0, { prompt: 'another one', attachments: [] });
    expect(right.exchanges.map((one) => one.prompt)).toEqual(['another one']);
    expect(host.argumentsOf('send_prompt').at(-1)?.turns).toEqual([
      { role: 'user', text: 'another one', attachments: [] },
    ]);
    expect(right.branches(0)).toEqual({ count: 2, chosen: 1 });
    right.turnTo(0, 0);
    expect(right.exchanges.map((one) => one.prompt)).toEqual(['one', 'two']);
  });

  it('stands as trained within what the training prompts share', async () => {
    await playground.setMode('asTrained');
    playground.prompt = 'my card is gone';
    await playground.send();
    const sent = host.argumentsOf('send_prompt').at(-1);
    expect(sent?.turns).toEqual([
      { role: 'user', text: 'Classify: my card is gone\nLabel:', attachments: [] },
    ]);
    expect(sent?.system).toBe('Be brief.');
  });

  it('waits for a model that is not ready, and says until when', async () => {
    const answer = later<Reply>();
    host.handlers.send_prompt = () => answer.promise;
    playground.prompt = 'one';
    const sent = playground.send();
    const request = host.argumentsOf('send_prompt')[1]?.request ?? '';
    playground.hear({ event: 'replyWaits', request, why: 'The model is being made ready', until: 5000 });
    expect(column(1).last?.waiting?.until).toBe(5000);
    expect(column(1).last?.state).toBe('running');
    playground.hear({ event: 'replyText', request, text: 'card' });
    expect(column(1).last?.waiting).toBeNull();
    answer.resolve(reply('card_arrival'));
    await sent;
  });

  it('carries only what the model takes', async () => {
    playground.parameters.topK = 5;
    playground.parameters.stopSequences = ['END'];
    playground.prompt = 'one';
    await playground.send();
    const [base, tuned] = host.argumentsOf('send_prompt');
    expect([base?.topK, tuned?.topK]).toEqual([5, null]);
    expect([base?.stopSequences, tuned?.stopSequences]).toEqual([['END'], []]);
  });

  it('is kept on disk with its answers, and comes back', async () => {
    playground.prompt = 'one';
    await playground.send();
    const kept = host.argumentsOf('save_conversation').at(-1);
    expect(kept?.title).toBe('one');
    host.handlers.conversations = () => (kept ? [kept] : []);
    playground.clear();
    expect(playground.empty).toBe(true);
    await playground.history.list.reload();
    playground.restore(kept?.id ?? '');
    expect(playground.columns.map((one) => one.exchanges[0]?.text)).toEqual(['the house', 'card_arrival']);
  });

  it('is cancelled by its own id', async () => {
    const answer = later<Reply>();
    host.handlers.send_prompt = () => answer.promise;
    playground.prompt = 'one';
    const sent = playground.send();
    await playground.stop();
    const requests = host.argumentsOf('send_prompt').map((one) => one.request);
    expect(host.argumentsOf('cancel_prompt').map((one) => one.request)).toEqual(requests);
    answer.resolve({ ...reply('the ho'), stopReason: 'cancelled' });
    await sent;
  });

  it('from the hold-out set brings the record’s own answer along, unless it was changed', async () => {
    await playground.takeHoldOut();
    await playground.send();
    expect(column(1).exchanges[0]?.expected).toBe('answer 0');

    await playground.takeHoldOut();
    playground.prompt += '?';
    await playground.send();
    expect(column(1).exchanges[1]?.expected).toBeNull();
  });
});

describe('what is told of an answer', () => {
  it('is a speed only where it can be known', () => {
    expect(tokensPerSecond(reply(''))).toBe(20);
    expect(tokensPerSecond({ ...reply(''), outputTokens: null })).toBeNull();
    expect(tokensPerSecond({ ...reply(''), outputTokens: 1 })).toBeNull();
  });

  it('compares with the record apart from white space around it', () => {
    expect(sameAnswer(' card_arrival\n', 'card_arrival')).toBe(true);
    expect(sameAnswer('Card_arrival', 'card_arrival')).toBe(false);
  });

  it('has words for stop reasons, known or not', () => {
    expect(stopWords('max_tokens')).toBe('cut at max tokens');
    expect(stopWords('guardrail_intervened')).toBe('guardrail intervened');
  });
});
