import { describe, expect, it } from 'vitest';

import { safeSvg } from './safe-svg';

const wrap = (inside: string, attributes = '') =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${attributes}>${inside}</svg>`;

function text(source: string): string {
  return safeSvg(source)?.outerHTML ?? '';
}

describe('the picture of a chart', () => {
  it('keeps its shapes, its words and how they look', () => {
    const made = safeSvg(
      wrap(
        '<g opacity="0.3"><polyline points="1,2 3,4" fill="none" stroke="#0b6770" stroke-width="2"/></g><text x="4" y="9" text-anchor="end" fill="#111111">4.0</text>',
        'width="640" height="320" viewBox="0 0 640 320"',
      ),
    );
    expect(made?.getAttribute('viewBox')).toBe('0 0 640 320');
    expect(made?.querySelector('polyline')?.getAttribute('points')).toBe('1,2 3,4');
    expect(made?.querySelector('polyline')?.getAttribute('stroke')).toBe('#0b6770');
    expect(made?.querySelector('text')?.textContent).toBe('4.0');
    expect(made?.namespaceURI).toBe('http://www.w3.org/2000/svg');
  });

  it.each([
    ['a script', '<script>alert(1)</script>'],
    ['foreign content', '<foreignObject><p>hello</p></foreignObject>'],
    ['a style', '<style>* { display: none }</style>'],
    ['an image', '<image href="http://example.com/x.png"/>'],
    ['a use of something elsewhere', '<use xlink:href="#x"/>'],
    ['a link', '<a href="javascript:alert(1)"><text>go</text></a>'],
    ['an animation', '<animate attributeName="href" to="javascript:alert(1)"/>'],
    ['a set', '<set attributeName="onclick" to="alert(1)"/>'],
    ['an iframe', '<iframe src="http://example.com"/>'],
  ])('refuses %s', (_, inside) => {
    const made = text(wrap(`${inside}<rect width="1" height="1"/>`));
    expect(made).toContain('<rect');
    expect(made).not.toMatch(/script|foreign|style|image|use|<a|animate|<set|iframe|http:\/\/example|alert/);
  });

  it.each([
    'onload="alert(1)"',
    'onclick="alert(1)"',
    'ONMOUSEOVER="alert(1)"',
    'href="javascript:alert(1)"',
    'xlink:href="javascript:alert(1)"',
    'style="background: url(http://example.com)"',
    'class="button"',
    'id="app"',
    'fill="url(http://example.com/x#y)"',
    'fill="URL (#x)"',
  ])('refuses the attribute %s', (attribute) => {
    const made = safeSvg(wrap(`<rect width="1" height="1" ${attribute}/>`, attribute));
    const names = [made, made?.querySelector('rect')].flatMap((one) =>
      Array.from(one?.attributes ?? []).map((each) => each.name.toLowerCase()),
    );
    expect(names.filter((name) => name !== 'width' && name !== 'height')).toEqual([]);
  });

  it.each(['', 'no markup at all', '<div>html</div>', '<html xmlns="http://www.w3.org/1999/xhtml"></html>'])(
    'is nothing when %j comes in its place',
    (source) => expect(safeSvg(source)).toBeNull(),
  );
});
