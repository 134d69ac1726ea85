import { describe, expect, it } from 'vitest';

import { playable } from '../../../testing/fixtures';
import type { PlayableModel } from '../../contract';
import { whyNothing, whyNotSent } from './attachment-words';

function model(name: string, images: number, documents: number, over: Partial<PlayableModel> = {}) {
  const [base] = playable;
  if (!base) throw new Error('There are no models among the fixtures.');
  return { ...base, modelId: name, name, takes: { ...base.takes, images, documents }, ...over };
}
const lite = model('Nova Lite', 20, 5);
const llama = model('Llama 3.1 8B', 0, 5);
const micro = model('Nova Micro', 0, 0);
const image = { kind: 'image' } as const;
const document = { kind: 'document' } as const;

describe('attachments', () => {
  it('go to models that all take them', () => {
    expect(whyNotSent([image, document], [lite], 'chat')).toBeNull();
    expect(whyNotSent([document], [lite, llama], 'asTrained')).toBeNull();
    expect(whyNotSent([], [micro], 'completion')).toBeNull();
    expect(whyNothing([lite, llama], 'chat')).toBeNull();
  });

  it('are kept back where one model of several takes none, and it is named', () => {
    expect(whyNotSent([image], [lite, llama], 'chat')).toBe('Llama 3.1 8B takes no pictures.');
    expect(whyNotSent([document, image], [micro, lite, llama], 'chat')).toBe(
      'Nova Micro and Llama 3.1 8B take no pictures.',
    );
    expect(whyNothing([lite, micro], 'chat')).toBe('Nova Micro takes text alone.');
    expect(whyNothing([lite], 'completion')).toBe('A completion takes text alone.');
    expect(whyNothing([], 'chat')).toBe('No model is chosen.');
  });

  it('are not refused in the name of a model that only stands in, nor where nobody knows', () => {
    const standIn = model('Nova Lite', 0, 0, { standIn: true });
    expect(whyNothing([standIn], 'chat')).toBe(
      'A small model stands in for Nova Lite here, and takes text alone.',
    );
    const imported = model('from-elsewhere', 0, 0, { kind: 'imported', baseModel: '' });
    expect(whyNothing([imported], 'chat')).toBe(
      'Bedrock does not tell what from-elsewhere takes beside text.',
    );
    expect(whyNotSent([image], [imported], 'chat')).toBe(
      'Bedrock does not tell whether from-elsewhere takes pictures.',
    );
  });

  it('are no more in a message than each model takes', () => {
    const six = Array.from({ length: 6 }, () => document);
    expect(whyNotSent(six.slice(1), [lite], 'chat')).toBeNull();
    expect(whyNotSent(six, [lite], 'chat')).toBe('A message holds at most 5 documents, and these are 6.');
  });

  it('are nothing at all where what one takes the other does not', () => {
    const painter = model('Painter', 20, 0);
    expect(whyNothing([painter, llama], 'chat')).toBe(
      'Beside text, no kind is taken by all of these models.',
    );
  });
});
