/**
 * Lets in the picture of a chart and nothing else.
 *
 * The chart is drawn by the app itself, but the window trusts no markup that crosses to it: the text is parsed as XML
 * and only known shapes with known attributes are built anew. No script, no foreign content, no style, no reference. The typeface is the window's own.
 */
const NAMESPACE = 'http://www.w3.org/2000/svg';

const ELEMENTS = new Set([
  'svg',
  'g',
  'path',
  'line',
  'polyline',
  'polygon',
  'rect',
  'circle',
  'ellipse',
  'text',
  'tspan',
  'title',
  'desc',
]);

const ATTRIBUTES = new Set([
  'cx',
  'cy',
  'd',
  'dominant-baseline',
  'dx',
  'dy',
  'fill',
  'fill-opacity',
  'fill-rule',
  'font-size',
  'font-style',
  'font-weight',
  'height',
  'opacity',
  'points',
  'r',
  'rx',
  'ry',
  'stroke',
  'stroke-dasharray',
  'stroke-linecap',
  'stroke-linejoin',
  'stroke-miterlimit',
  'stroke-opacity',
  'stroke-width',
  'text-anchor',
  'transform',
  'viewBox',
  'width',
  'x',
  'x1',
  'x2',
  'y',
  'y1',
  'y2',
]);

/** A picture made of what is allowed, or null when the text is no SVG at all. */
export function safeSvg(text: string): SVGSVGElement | null {
  const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
  const root = parsed.documentElement;
  if (root.localName !== 'svg' || parsed.querySelector('parsererror')) return null;
  return rebuild(root) as SVGSVGElement;
}

function rebuild(source: Element): Element {
  const made = document.createElementNS(NAMESPACE, source.localName);
  for (const { name, value } of Array.from(source.attributes)) {
    if (ATTRIBUTES.has(name) && !/url\s*\(/i.test(value)) made.setAttribute(name, value);
  }
  for (const child of Array.from(source.childNodes)) {
    if (child.nodeType === Node.TEXT_NODE) made.append(child.textContent ?? '');
    else if (child instanceof Element && ELEMENTS.has(child.localName)) made.append(rebuild(child));
  }
  return made;
}
