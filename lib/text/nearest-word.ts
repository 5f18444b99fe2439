/** What somebody who mistyped a word most likely meant. */

/**
 * The word somebody most likely meant: one that begins so, else the one fewest typing slips away, if those are at
 * most a third of its letters.
 *
 * @returns The first of equals; undefined if none is near.
 */
export function nearestWord<W extends string>(text: string, words: readonly W[]): W | undefined {
  const longer = words.filter(word => text.length >= 2 && word.startsWith(text));
  if (longer.length > 0) return longer[0];
  let nearest: W | undefined;
  let fewest = Infinity;
  for (const word of words) {
    const slips = countSlips(text, word);
    if (slips < fewest && slips <= Math.max(1, Math.floor(word.length / 3)) && slips < word.length) {
      nearest = word;
      fewest = slips;
    }
  }
  return nearest;
}

/**
 * Typing slips between two words: letters left out, added, changed, or two neighbours swapped (the restricted
 * Damerau-Levenshtein distance).
 */
export function countSlips(a: string, b: string): number {
  // Nobody misspells an option by hundreds of letters; the table below is quadratic.
  if (Math.abs(a.length - b.length) > 20) return Infinity;
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : Infinity;
      row.push(Math.min(changed, swapped, rows[i - 1]![j]! + 1, row[j - 1]! + 1));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
