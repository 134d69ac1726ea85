/** What stands in the way of sending attachments, in words that name the models. */
import type { Attachment, AttachmentKind, PlayableModel } from '../../contract';
import { count, plural } from '../../format';
import type { Mode } from './parameters';

const KINDS = {
  image: { takes: 'images', one: 'picture', many: 'pictures' },
  document: { takes: 'documents', one: 'document', many: 'documents' },
} as const satisfies Record<AttachmentKind, unknown>;

const COMPLETION = 'A completion takes text alone.';

/** Says it of the models that fall short; null where there are none. `what` follows "take", `doubt` "does not tell". */
function shortfall(short: readonly PlayableModel[], what: string, doubt: string): string | null {
  const [first, ...others] = short;
  const last = others.at(-1);
  if (!first) return null;
  if (last) {
    const names = [first, ...others.slice(0, -1)].map((model) => model.name);
    return `${names.join(', ')} and ${last.name} take ${what}.`;
  }
  if (first.standIn) return `A small model stands in for ${first.name} here, and takes text alone.`;
  if (first.baseModel === '') return `Bedrock does not tell ${doubt.replace('it', first.name)}.`;
  return `${first.name} takes ${what}.`;
}

function whyNone(kind: AttachmentKind, models: readonly PlayableModel[]): string | null {
  const { takes, many } = KINDS[kind];
  const short = models.filter((model) => model.takes[takes] === 0);
  return shortfall(short, `no ${many}`, `whether it takes ${many}`);
}

/** Why nothing at all can be attached to a prompt for these models; null when something can. */
export function whyNothing(models: readonly PlayableModel[], mode: Mode): string | null {
  if (mode === 'completion') return COMPLETION;
  if (models.length === 0) return 'No model is chosen.';
  if (whyNone('image', models) === null || whyNone('document', models) === null) return null;
  const short = models.filter((model) => model.takes.images === 0 && model.takes.documents === 0);
  const words = shortfall(short, 'text alone', 'what it takes beside text');
  return words ?? 'Beside text, no kind is taken by all of these models.';
}

/** Why these cannot be sent to these models as one message; null when they can. */
export function whyNotSent(
  attached: readonly Pick<Attachment, 'kind'>[],
  models: readonly PlayableModel[],
  mode: Mode,
): string | null {
  if (attached.length === 0) return null;
  if (mode === 'completion') return COMPLETION;
  for (const kind of ['image', 'document'] as const) {
    const number = attached.filter((one) => one.kind === kind).length;
    if (number === 0) continue;
    const none = whyNone(kind, models);
    if (none !== null) return none;
    const { takes, one, many } = KINDS[kind];
    const most = Math.min(...models.map((model) => model.takes[takes]));
    if (number > most) {
      return `A message holds at most ${plural(most, one, many)}, and these are ${count(number)}.`;
    }
  }
  return null;
}
