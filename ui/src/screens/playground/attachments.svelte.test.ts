import { beforeEach, describe, expect, it } from 'vitest';

import { playable } from '../../../testing/fixtures';
import { install } from '../../../testing/install';
import type { TestHost } from '../../../testing/test-host';
import type { Attachment, PickedFile, Reply } from '../../contract';
import { drops } from '../../state/drops';
import { Playground } from './playground.svelte';

const photo: Attachment = { id: 'aa.png', name: 'photo.png', kind: 'image', format: 'png', bytes: 2048 };
const rates: Attachment = { id: 'bb.csv', name: 'rates.csv', kind: 'document', format: 'csv', bytes: 40 };
const file = (of: Attachment): PickedFile => ({
  token: of.id,
  name: of.name,
  bytes: of.bytes,
  attachesAs: of.kind,
});
const reply: Reply = {
  text: 'a cat',
  stopReason: 'end_turn',
  inputTokens: 9,
  outputTokens: 2,
  firstTokenMs: 40,
  totalMs: 240,
  cost: { usd: 0, note: '' },
  rawRequest: '{}',
  rawResponse: '{}',
};
const seeing = playable.map((model) => ({ ...model, takes: { ...model.takes, images: 2, documents: 5 } }));

let host: TestHost;
let playground: Playground;

beforeEach(async () => {
  host = install({
    playable_models: () => seeing,
    pick_attachments: () => [file(photo), file(rates)],
    attach_file: ({ token }) => (token === photo.id ? photo : rates),
    attach_pasted: () => photo,
    attached_picture: () => ({ url: 'data:image/png;base64,AAAA' }),
    send_prompt: () => reply,
    save_conversation: () => ({}),
  });
  playground = new Playground();
  await playground.open(null);
});

describe('what is attached', () => {
  it('is sent with the prompt to every column, in this turn and as part of what was said', async () => {
    await playground.attached.pick();
    expect(playground.attached.picture(photo)).toContain('data:image/png');
    playground.prompt = 'What is it?';
    await playground.send();
    expect(host.argumentsOf('send_prompt').map((one) => one.turns)).toEqual([
      [{ role: 'user', text: 'What is it?', attachments: [photo, rates] }],
      [{ role: 'user', text: 'What is it?', attachments: [photo, rates] }],
    ]);
    expect(playground.attached.all).toEqual([]);

    playground.prompt = 'And now?';
    await playground.send();
    expect(
      host
        .argumentsOf('send_prompt')
        .at(-1)
        ?.turns.map((turn) => turn.attachments.length),
    ).toEqual([2, 0, 0]);
  });

  it('stays with its prompt when that is put again, but for what is taken away', async () => {
    await playground.attached.add([file(photo)]);
    playground.prompt = 'What is it?';
    await playground.send();
    const [column] = playground.columns;
    const exchange = column?.exchanges[0];
    if (!column || !exchange) throw new Error('Nothing was asked.');
    await playground.branch(column, 0, exchange);
    const last = () => host.argumentsOf('send_prompt').at(-1)?.turns;
    expect(last()).toEqual([{ role: 'user', text: 'What is it?', attachments: [photo] }]);
    await playground.branch(column, 0, { prompt: 'What is it like?', attachments: [] });
    expect(last()).toEqual([{ role: 'user', text: 'What is it like?', attachments: [] }]);
  });

  it('is kept with the conversation, and one from before there were attachments still opens', async () => {
    await playground.attached.add([file(photo)]);
    playground.prompt = 'What is it?';
    await playground.send();
    const kept = host.argumentsOf('save_conversation').at(-1);
    const old = kept && {
      ...kept,
      id: 'old',
      document: kept.document.replaceAll('"attachments"', '"other"'),
    };
    host.handlers.conversations = () => (kept && old ? [kept, old] : []);
    await playground.history.list.reload();
    playground.restore(kept?.id ?? '');
    expect(playground.columns[0]?.exchanges[0]?.attachments).toEqual([photo]);
    playground.restore('old');
    expect(playground.columns[0]?.exchanges[0]?.attachments).toEqual([]);
  });

  it('is sent to nobody while one of the models cannot take it', async () => {
    await playground.attached.add([file(photo)]);
    playground.prompt = 'What is it?';
    playground.models.set(
      seeing.map((model, at) => (at === 1 ? { ...model, takes: { ...model.takes, images: 0 } } : model)),
    );
    expect(playground.attached.obstacle).toBe('banking77-intents takes no pictures.');
    await playground.send();
    expect(host.argumentsOf('send_prompt')).toEqual([]);
    const [, right] = playground.columns;
    if (right) right.inSync = false;
    await playground.send();
    expect(host.argumentsOf('send_prompt').length).toBe(1);
  });

  it('is held to what is taken before a file is read', async () => {
    await playground.attached.add([file(photo), file({ ...photo, id: 'cc.png' }), file(rates)]);
    playground.models.set(playable);
    await playground.attached.add([file({ ...rates, id: 'dd.csv', name: 'more.csv' })]);
    expect(host.argumentsOf('attach_file').map((one) => one.token)).toEqual(['aa.png', 'cc.png', 'bb.csv']);
    expect(playground.attached.refusals).toEqual([
      '“more.csv” was not attached. Tiny v1 and banking77-intents take no pictures.',
    ]);
  });

  it('is there once, however often it is attached, and can be taken away', async () => {
    await playground.attached.add([file(photo), file(photo)]);
    expect(playground.attached.all).toEqual([photo]);
    playground.attached.remove(photo);
    expect(playground.attached.all).toEqual([]);
  });

  it('is part of the request that the code tabs show', async () => {
    await playground.attached.add([file(photo)]);
    playground.prompt = 'What is it?';
    const [left, right] = playground.columns;
    if (!left || !right) throw new Error('There are no columns.');
    expect(playground.requestOf(left).turns.at(-1)?.attachments).toEqual([photo]);
    right.inSync = false;
    expect(playground.requestOf(right).turns.at(-1)?.attachments).toEqual([]);
    right.inSync = true;
    await playground.send();
    expect(playground.requestOf(left).turns.at(-1)?.attachments).toEqual([photo]);
  });
});

describe('the clipboard', () => {
  const clipboard = (text: string): DataTransfer => {
    const files = [new File([new Uint8Array([137, 80, 78, 71])], 'image.png', { type: 'image/png' })];
    return { files, getData: () => text } as unknown as DataTransfer;
  };

  it('gives a picture, in Base64', async () => {
    expect(playground.attached.paste(clipboard(''))).toBe(true);
    await expect.poll(() => playground.attached.all).toEqual([photo]);
    expect(host.argumentsOf('attach_pasted')).toEqual([{ data: 'iVBORw==' }]);
  });

  it('that has text beside a picture means the text', () => {
    expect(playground.attached.paste(clipboard('a cell of a table'))).toBe(false);
    expect(playground.attached.paste(null)).toBe(false);
    expect(host.argumentsOf('attach_pasted')).toEqual([]);
  });
});

describe('dropped files', () => {
  it('go to the screen that takes them, while it is there', () => {
    expect(drops.offer([file(photo)])).toBe(false);
    const taken: PickedFile[] = [];
    const leave = drops.takenBy((files) => taken.push(...files) > 0);
    expect(drops.offer([file(photo)])).toBe(true);
    expect(taken).toEqual([file(photo)]);
    leave();
    expect(drops.offer([file(photo)])).toBe(false);
  });
});
