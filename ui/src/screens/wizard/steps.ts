/** The wizard's steps, in their order. */
export const steps = [
  { id: 'model', label: 'Base model' },
  { id: 'data', label: 'Data' },
  { id: 'settings', label: 'Hyperparameters' },
  { id: 'review', label: 'Review' },
] as const;

export type StepId = (typeof steps)[number]['id'];

export function stepFrom(text: string | null): StepId {
  return steps.find((step) => step.id === text)?.id ?? 'model';
}

/** A price as one or two words for a button: "Free: it runs here." becomes "free". */
export function priceWord(price: string): string {
  const word = price.split(/[:.;(]/, 1)[0]?.trim() ?? '';
  return word.length > 0 && word.length <= 24 ? word.charAt(0).toLowerCase() + word.slice(1) : 'see price';
}
