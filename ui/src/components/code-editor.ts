/** What the editor of long texts and of JSON is put together from. Loaded with it, when it is first wanted. */
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  syntaxHighlighting,
} from '@codemirror/language';
import { linter } from '@codemirror/lint';
import { StateEffect, StateField, type Extension } from '@codemirror/state';
import { Decoration, EditorView, highlightActiveLine, keymap, type DecorationSet } from '@codemirror/view';
import { tags } from '@lezer/highlight';

import type { Mark } from './marks';

/** Colours are the tokens'; custom properties reach into the shadow tree, so both themes come with them. */
const look = EditorView.theme({
  '&': { color: 'var(--ink)', fontSize: '12px', height: '100%' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--font-code)', lineHeight: '20px', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '8px 0' },
  '.cm-line': { padding: '0 12px 0 4px' },
  '.cm-gutters': { backgroundColor: 'transparent', border: '0', color: 'var(--ink-3)' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--hover) 50%, transparent)' },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': {
    background: 'var(--accent-soft) !important',
  },
  '.cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', outline: '1px solid var(--accent-line)' },
  '.cm-foldPlaceholder': {
    background: 'var(--sunk)',
    border: '1px solid var(--line)',
    color: 'var(--ink-2)',
  },
  '.cm-tooltip': { background: 'var(--raised)', border: '1px solid var(--line)', color: 'var(--ink)' },
});

/** A text is set as the fields of shorter ones are. */
const textLook = EditorView.theme({
  '&': { fontSize: '13px' },
  '.cm-scroller': { fontFamily: 'var(--font-text)' },
  '.cm-content': { padding: '5px 0' },
  '.cm-line': { padding: '0 8px' },
  '.mark-error, .mark-warning, .mark-note': {
    textDecoration: 'underline 2px',
    textUnderlineOffset: '4px',
    textDecorationSkipInk: 'none',
  },
  '.mark-error': { background: 'var(--bad-soft)', textDecorationColor: 'var(--bad)' },
  '.mark-warning': { background: 'var(--warn-soft)', textDecorationColor: 'var(--warn)' },
  '.mark-note': { textDecorationColor: 'var(--ink-3)', textDecorationStyle: 'dotted' },
});

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--warn)' },
  { tag: tags.punctuation, color: 'var(--ink-3)' },
]);

const setMarks = StateEffect.define<DecorationSet>();

/** Marks move with the text until fresh ones come. */
const marksField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (marks, transaction) => {
    const fresh = transaction.effects.find((effect) => effect.is(setMarks));
    return fresh ? (fresh.value as DecorationSet) : marks.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** Underlines these stretches in the place of any there were. */
export function showMarks(view: EditorView, marks: readonly Mark[]): void {
  const length = view.state.doc.length;
  const ranges = marks
    .map((mark) => ({ from: mark.start, to: Math.min(mark.end, length), tone: mark.tone }))
    .filter((mark) => mark.from < mark.to)
    .map((mark) => Decoration.mark({ class: `mark-${mark.tone}` }).range(mark.from, mark.to));
  view.dispatch({ effects: setMarks.of(Decoration.set(ranges, true)) });
}

export interface Handlers {
  /** Ctrl/Cmd+Enter. */
  apply: () => void;
  /** Escape. */
  escape: () => void;
  input: (text: string) => void;
  blur: () => void;
}

export function extensions(language: 'json' | 'text', label: string, handlers: Handlers): Extension[] {
  const shared = [
    keymap.of([
      { key: 'Mod-Enter', run: () => (handlers.apply(), true) },
      { key: 'Escape', run: () => (handlers.escape(), true) },
      ...defaultKeymap,
      ...historyKeymap,
    ]),
    history(),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ 'aria-label': label }),
    EditorView.domEventHandlers({ blur: () => handlers.blur() }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) handlers.input(update.state.doc.toString());
    }),
  ];
  if (language === 'text') return [...shared, marksField, textLook, look];
  return [
    ...shared,
    json(),
    linter(jsonParseLinter(), { delay: 200 }),
    keymap.of(foldKeymap),
    bracketMatching(),
    foldGutter(),
    highlightActiveLine(),
    syntaxHighlighting(colours),
    look,
  ];
}
