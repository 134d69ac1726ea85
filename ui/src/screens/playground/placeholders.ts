/** What is to be filled into a prompt of the library: `{{name}}`, as Bedrock's prompt management writes it, too. */
const PLACEHOLDER = /\{\{\s*([\p{L}\p{N}_][\p{L}\p{N}_ .-]{0,63}?)\s*\}\}/gu;

/** The names in the texts, each once, in the order in which they come. */
export function variables(...texts: readonly string[]): string[] {
  const names = texts.flatMap((text) => [...text.matchAll(PLACEHOLDER)].map((found) => found[1] ?? ''));
  return [...new Set(names)];
}

/** The text with what is known filled in. What was filled in is not looked at again, and the rest stays as it is. */
export function fill(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(PLACEHOLDER, (whole, name: string) => values.get(name) ?? whole);
}
