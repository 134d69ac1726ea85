/** Reads colours from the tokens for what is drawn outside of CSS. */

/** A token's colour as `#rrggbb`. */
export function tokenColour(name: string): string {
  const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return /^#[0-9a-f]{6}$/i.test(value) ? value : '#808080';
}
