// What the gallery asks of a screen besides its picture, run in the window by the driver. Each function answers with a
// list of sentences; an empty list is what is wanted.

const hidden = (element) => {
  if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return true;
  if (getComputedStyle(element).clipPath !== 'none') return true;
  return element.parentElement !== null && getComputedStyle(element.parentElement).clipPath !== 'none';
};

const called = (element) => {
  const id = element.closest('[data-testid]')?.dataset.testid;
  const words = (element.getAttribute('aria-label') ?? element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 48);
  return `${element.localName}${id ? ` in ${id}` : ''} “${words}”`;
};

/** Words that are cut off without a sign, or that stand outside the window. */
const cutWords = () => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || !element || element.closest('svg, option, [inert]') || hidden(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const words = range.getBoundingClientRect();
    if (words.width === 0) continue;
    for (let around = element; around; around = around.parentElement) {
      const style = getComputedStyle(around);
      if (style.textOverflow === 'ellipsis' || style.webkitLineClamp !== 'none') break;
      if (/auto|scroll/.test(style.overflowX)) break;
      const box = around.getBoundingClientRect();
      const edge = around === document.body ? window.innerWidth : box.right;
      const cuts = around === document.body || /hidden|clip/.test(style.overflowX);
      if (cuts && (words.right > edge + 1 || words.left < box.left - 1)) {
        found.push(`cut off: ${called(element)}`);
        break;
      }
      if (style.position === 'fixed') break;
    }
  }
  return [...new Set(found)];
};

/** Places to scroll sideways that only came about because something is too wide. */
const tooWide = () =>
  [...document.querySelectorAll('main, main *, dialog, dialog *')]
    .filter((element) => {
      const style = getComputedStyle(element);
      // `overflow-y: auto` alone makes the other direction scroll too; a table in a box of its own means it.
      const meant = style.overflowX === 'auto' && style.overflowY === 'visible';
      return /auto|scroll/.test(style.overflowX) && !meant && element.scrollWidth > element.clientWidth + 1;
    })
    .filter((element) => !element.closest('.cm-editor') && !element.querySelector(':scope > pre') && !hidden(element))
    .map((element) => `scrolls sideways by ${element.scrollWidth - element.clientWidth}: ${called(element)}`);

/** What the Tab key stops at without showing it. The last key pressed must have been one of the keyboard's. */
const unseenFocus = () => {
  const layer = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  const looks = (element) => {
    // Of several that are chosen, the one that keys act on.
    const current = element.getAttribute('aria-activedescendant');
    const chosen = current ? document.getElementById(current) : element.querySelector('[aria-selected="true"]');
    const around = [element, chosen, element.nextElementSibling, element.parentElement, element.parentElement?.parentElement];
    return around
      .filter(Boolean)
      .map((one) => getComputedStyle(one))
      .map((style) => [style.boxShadow, style.outlineStyle, style.outlineWidth, style.borderColor, style.backgroundColor].join())
      .join();
  };
  const stops = [...layer.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')].filter(
    (element) => element.tabIndex >= 0 && !element.disabled && !element.closest('[inert]') && element.checkVisibility(),
  );
  document.activeElement?.blur();
  const found = stops.filter((element) => {
    const without = looks(element);
    element.focus();
    const unseen = document.activeElement === element && looks(element) === without;
    element.blur();
    return unseen;
  });
  return found.map((element) => `focus not seen: ${called(element)}`);
};

/** What axe-core finds against WCAG 2.2 A and AA. */
const barriers = async () => {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ['violations'] });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(' ')} ${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ''}`),
  );
};
