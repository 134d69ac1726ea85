/**
 * What is attached to the prompt in the composer. Each is a copy that the workbench keeps; here are its name, its size and,
 * for a picture, what it looks like.
 */
import type { Attachment, AttachmentKind, PickedFile, PlayableModel } from '../../contract';
import { call, toAppError } from '../../platform';
import { visible } from './answer-text';
import { whyNotSent } from './attachment-words';
import type { Mode } from './parameters';

/** Whom the prompt goes to, and how. */
type Asked = () => { models: readonly PlayableModel[]; mode: Mode };

export class Attachments {
  readonly #asked: Asked;
  #all = $state.raw<readonly Attachment[]>([]);
  /** Pictures as the window shows them, by the id of the copy. */
  #pictures = $state.raw<Readonly<Record<string, string>>>({});
  #underWay = $state(0);
  /** What was not attached, and why: told beside the prompt until something else is done. */
  #refusals = $state.raw<readonly string[]>([]);

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  get all(): readonly Attachment[] {
    return this.#all;
  }
  get busy(): boolean {
    return this.#underWay > 0;
  }
  get refusals(): readonly string[] {
    return this.#refusals;
  }
  /** Why the prompt cannot be sent with them as things are; null when it can. */
  readonly obstacle = $derived.by(() => {
    const { models, mode } = this.#asked();
    return whyNotSent(this.#all, models, mode);
  });

  picture(attachment: Attachment): string | undefined {
    return this.#pictures[attachment.id];
  }

  async pick(): Promise<void> {
    this.#refusals = [];
    try {
      await this.add(await call('pick_attachments', {}));
    } catch (thrown) {
      this.#refuse('Nothing was attached.', thrown);
    }
  }

  async add(files: readonly PickedFile[]): Promise<void> {
    this.#refusals = [];
    for (const { token, name, attachesAs } of files) {
      await this.#offer(attachesAs, `“${visible(name)}” was not attached.`, () =>
        call('attach_file', { token }),
      );
    }
  }

  /** The pictures on the clipboard; false where there are none, or where the text beside them is meant. */
  paste(clipboard: DataTransfer | null): boolean {
    const pictures = [...(clipboard?.files ?? [])].filter((file) => file.type.startsWith('image/'));
    if (pictures.length === 0 || clipboard?.getData('text/plain') !== '') return false;
    this.#refusals = [];
    for (const picture of pictures) {
      void this.#offer('image', 'The picture was not attached.', async () =>
        call('attach_pasted', { data: await base64(picture) }),
      );
    }
    return true;
  }

  /** Attaches what can be sent, and says why the rest cannot. What is of no known kind the workbench refuses. */
  async #offer(
    kind: AttachmentKind | null,
    refusal: string,
    attach: () => Promise<Attachment>,
  ): Promise<void> {
    const { models, mode } = this.#asked();
    const obstacle = whyNotSent(kind === null ? [] : [...this.#all, { kind }], models, mode);
    if (obstacle !== null) {
      this.#refusals = [...this.#refusals, `${refusal} ${obstacle}`];
      return;
    }
    this.#underWay += 1;
    try {
      const taken = await attach();
      // The same content twice tells a model nothing.
      if (this.#all.some((one) => one.id === taken.id)) return;
      this.#all = [...this.#all, taken];
      if (taken.kind === 'image') void this.#show(taken);
    } catch (thrown) {
      this.#refuse(refusal, thrown);
    } finally {
      this.#underWay -= 1;
    }
  }

  #refuse(refusal: string, thrown: unknown): void {
    const { message, hint } = toAppError(thrown);
    this.#refusals = [...this.#refusals, [refusal, message, hint].filter(Boolean).join(' ')];
  }

  /** Without its picture an attachment has an icon, which is no trouble worth telling. */
  async #show({ id }: Attachment): Promise<void> {
    const shown = await call('attached_picture', { id }).catch(() => null);
    if (shown) this.#pictures = { ...this.#pictures, [id]: shown.url };
  }

  remove(attachment: Attachment): void {
    this.#all = this.#all.filter((one) => one !== attachment);
    this.#refusals = [];
  }

  /** Hands them over to a prompt that is sent. */
  takeAll(): readonly Attachment[] {
    const all = this.#all;
    this.#all = [];
    this.#pictures = {};
    this.#refusals = [];
    return all;
  }
}

async function base64(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const CHUNK = 0x8000;
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(text);
}
