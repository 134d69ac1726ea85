/**
 * An answer as it may be shown: text that cannot steer the window or the eye, and the parts of its markdown.
 *
 * A model can say anything. Nothing here becomes markup: the parser's tokens become Svelte elements, whose content is text.
 * What is too long or too deep for that is shown as it is.
 */
import { lexer, type Token } from 'marked';

/** More than this is shown as plain text: an answer that long is no prose. */
const LONGEST = 40_000;
/** A line without a place to break at is no prose either, and what a parser tries on it can take long. */
const LONGEST_RUN = 4000;
/** Characters that open something; very many of them only serve to keep a parser busy. */
const MOST_OPENERS = 2000;
const OPENERS = /[[\]*_`<>!~|(]/g;
/** Deeper lists and quotations are text. */
export const DEEPEST = 12;
/** So much of a long text is laid out before one asks for the rest. */
export const SHOWN = 20_000;

/** Controls, and the marks that turn the direction of a text around or hide in it. */
const UNSEEN =
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** The same text with what cannot be seen named: a right-to-left override becomes ⟨U+202E⟩. */
export function visible(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(
      UNSEEN,
      (mark) => `⟨U+${(mark.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
    );
}

/** The parts of the markdown; null where the text is to be shown as it is. */
export function parts(text: string): Token[] | null {
  if (text.length > LONGEST) return null;
  if ((text.match(OPENERS)?.length ?? 0) > MOST_OPENERS) return null;
  if (text.split(/\s/, LONGEST).some((run) => run.length > LONGEST_RUN)) return null;
  try {
    const tokens = lexer(text, { gfm: true });
    return depth(tokens) > DEEPEST ? null : tokens;
  } catch {
    return null;
  }
}

function depth(tokens: readonly Token[], so = 0): number {
  let deepest = so;
  if (so > DEEPEST) return so;
  for (const token of tokens) {
    const below = childrenOf(token);
    if (below.length > 0) deepest = Math.max(deepest, depth(below, so + 1));
  }
  return deepest;
}

export function childrenOf(token: Token): Token[] {
  if ('items' in token && Array.isArray(token['items'])) return token['items'] as Token[];
  return 'tokens' in token && Array.isArray(token.tokens) ? token.tokens : [];
}

/** The text as JSON laid out, where it is JSON and more than a word. */
export function asJson(text: string): string | null {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed) || trimmed.length > LONGEST) return null;
  try {
    return JSON.stringify(JSON.parse(trimmed), null, 2);
  } catch {
    return null;
  }
}

/** An address that may be shown as one; null for anything but the web and mail. It is never followed from here. */
export function address(href: unknown): string | null {
  return typeof href === 'string' && /^(https?:\/\/|mailto:)/i.test(href.trim()) ? href.trim() : null;
}

const ENTITIES: Record<string, string> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&amp;': '&',
};

/** The parser escapes some texts for markup, which is not made here. */
export function plain(text: string): string {
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}
