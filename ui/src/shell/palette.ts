/** What the command palette offers, and in which order it answers a few typed letters. */
export interface Command {
  id: string;
  group: string;
  label: string;
  note?: string | undefined;
  run: () => void;
}

/** How well a label answers: whole words first, then beginnings, then letters in order; -1 is no answer. */
export function score(label: string, query: string): number {
  const text = label.toLowerCase();
  const wanted = query.toLowerCase();
  if (text.startsWith(wanted)) return 3;
  if (text.split(/[\s\-_./]+/).some((word) => word.startsWith(wanted))) return 2;
  if (text.includes(wanted)) return 1;
  let from = 0;
  for (const letter of wanted) {
    const at = text.indexOf(letter, from);
    if (at < 0) return -1;
    from = at + 1;
  }
  return 0;
}

/** Groups stay together, in the order of their best answer. */
export function rank(commands: readonly Command[], query: string): Command[] {
  const wanted = query.trim();
  if (wanted === '') return [...commands];
  const scored = commands
    .map((command) => ({ command, score: score(command.label, wanted) }))
    .filter((answer) => answer.score >= 0)
    .sort((a, b) => b.score - a.score);
  const groups = [...new Set(scored.map((answer) => answer.command.group))];
  return groups.flatMap((group) =>
    scored.filter((answer) => answer.command.group === group).map((answer) => answer.command),
  );
}
