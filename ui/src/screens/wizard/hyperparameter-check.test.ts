import { describe, expect, it } from 'vitest';

import type { Hyperparameter, HyperparameterKind } from '../../contract';
import { checkHyperparameter, figureText, rangeText } from './hyperparameter-check';

function parameter(kind: HyperparameterKind, preset = '4'): Hyperparameter {
  return {
    key: 'k',
    label: 'Batch size',
    kind,
    default: preset,
    why: '',
    advanced: false,
    unverified: false,
    unit: null,
    withoutValidation: false,
  };
}

const whole = parameter({ kind: 'integer', min: 1, max: 64 });
const real = parameter({ kind: 'float', min: 1e-6, max: 1e-4 }, '1e-5');
const choice = parameter({ kind: 'choice', options: ['full', 'lora'] }, 'full');

const check = (one: Hyperparameter, text: string) => checkHyperparameter(one, 'Nova Lite', text);

describe('a whole number', () => {
  it.each(['1', '64', ' 16 ', '007'])('takes %j', (text) => expect(check(whole, text)).toBeNull());

  it('above the range names the bound and offers it', () => {
    expect(check(whole, '96')).toEqual({ message: 'Nova Lite takes at most 64.', suggestion: '64' });
  });

  it('below the range names the bound and offers it', () => {
    expect(check(whole, '0')).toEqual({ message: 'Nova Lite takes at least 1.', suggestion: '1' });
    expect(check(whole, '-3')?.suggestion).toBe('1');
  });

  it('with a fraction is offered as the nearest whole one', () => {
    expect(check(whole, '3.6')).toEqual({
      message: 'Batch size is a whole number, 1 to 64.',
      suggestion: '4',
    });
    expect(check(whole, '1e9')?.suggestion).toBe('64');
  });

  it.each(['', 'many', '1,5', '0x10z', 'NaN', 'Infinity'])(
    'does not take %j and offers the default',
    (text) => {
      expect(check(whole, text)?.suggestion).toBe('4');
    },
  );
});

describe('a number', () => {
  it.each(['1e-5', '0.00001', '1E-6', '.0001', '1e-4'])('takes %j', (text) =>
    expect(check(real, text)).toBeNull(),
  );

  it('out of range names the bound as people write it', () => {
    expect(check(real, '0.1')).toEqual({ message: 'Nova Lite takes at most 1e-4.', suggestion: '1e-4' });
    expect(check(real, '1e-9')).toEqual({ message: 'Nova Lite takes at least 1e-6.', suggestion: '1e-6' });
  });

  it.each(['', 'e', '1e', '1..2', 'fast'])('does not take %j', (text) => {
    expect(check(real, text)?.message).toContain('is a number');
  });

  it('offers what it would itself accept', () => {
    for (const text of ['0.1', '1e-9', 'fast', '-1']) {
      const suggestion = check(real, text)?.suggestion ?? '';
      expect(check(real, suggestion)).toBeNull();
    }
  });
});

describe('a choice', () => {
  it('takes its options and nothing else', () => {
    expect(check(choice, 'lora')).toBeNull();
    expect(check(choice, 'half')).toEqual({ message: 'Batch size is full or lora.', suggestion: 'full' });
  });
});

it('writes small figures with an exponent and others in full', () => {
  expect([0.00001, 0.001, 0.02, 200_000, 0].map(figureText)).toEqual([
    '1e-5',
    '0.001',
    '0.02',
    '200000',
    '0',
  ]);
  expect(rangeText(real.kind)).toBe('1e-6 to 1e-4');
});
