import { describe, expect, it } from 'vitest';

import { isSpaced, layOut, onOneLine } from './json-text';

const tight = String.raw`{"a":1.50,"b":[],"c":{"d":"x: {y}, \"z\"","d":null},"e":[true,-0,1e5],"ü":"\u00fc\\"}`;

describe('a line of JSON', () => {
  it('comes back to the letter, with members doubled, numbers and escapes as they were', () => {
    expect(onOneLine(layOut(tight), isSpaced(tight))).toBe(tight);
  });

  it('keeps the spaces of programs that write them', () => {
    const spaced = '{"a": [1, 2], "b": "c:d,e"}';
    expect(isSpaced(spaced)).toBe(true);
    expect(onOneLine(layOut(spaced), true)).toBe(spaced);
    expect(isSpaced('{"a":"x: y"}')).toBe(false);
  });

  it('is laid out one part to a line', () => {
    expect(layOut('{"a":1,"b":{"c":[1,2]},"d":{}}')).toBe(
      '{\n  "a": 1,\n  "b": {\n    "c": [\n      1,\n      2\n    ]\n  },\n  "d": {}\n}',
    );
  });

  it('that is cut in the middle of a string is shown all the same', () => {
    expect(layOut('{"a":"bc')).toBe('{\n  "a": "bc');
    expect(onOneLine(layOut('{"a":"b\\'), false)).toBe('{"a":"b\\');
  });
});
