/**
 * Texts cut to what there is room for, each with an ellipsis where something is gone; never half of a surrogate pair.
 * Lengths are characters, but for {@link clipColumns}. For a terminal, whose columns Bun knows, there is `ellipsize`.
 */

/** Cut to `n` characters, the last of them an ellipsis; never half of a surrogate pair. */
export function clipEnd(text: string, n: number): string {
  if (text.length <= n) return text;
  const points = [...text.slice(0, 2 * n + 2)];
  return points.length <= n ? text : `${points.slice(0, n - 1).join("")}…`;
}

/** Longest text of a key in a page; attackers write megabytes. */
const TEXT_MOST = 2000;

/** A text as a page carries it: whole, or its beginning and how long it was. */
export function cutLong(text: string): string {
  if (text.length <= TEXT_MOST) return text;
  return `${clipEnd(text, TEXT_MOST)} [first ${TEXT_MOST} of ${text.length} characters]`;
}

/**
 * Names cut to `n` characters each, told apart: where cutting the middle out makes two alike, the part in which they
 * differ is kept in its place.
 */
export function clipApart(names: readonly string[], n: number): string[] {
  const labels = names.map(name => clipMiddle(name, n));
  for (const places of Map.groupBy(labels.keys(), i => labels[i]!).values()) {
    const alike = [...new Set(places.map(i => names[i]!))].map(name => [...name]);
    if (alike.length < 2) continue;
    let same = 0;
    while (alike.every(name => name[same] === alike[0]![same])) same++;
    const start = Math.max(0, same - Math.floor(n / 3));
    for (const i of places) {
      const points = [...names[i]!];
      const rest = points.slice(start);
      labels[i] = `…${rest.length < n ? rest.join("") : `${rest.slice(0, n - 2).join("")}…`}`;
    }
  }
  // Three and more may share what two of them differ in.
  const known = new Map<string, string>();
  return labels.map((label, i) => {
    let own = label;
    for (let k = 2; (known.get(own) ?? names[i]) !== names[i]; k++) own = `${clipEnd(label, n - 1 - String(k).length)}~${k}`;
    known.set(own, names[i]!);
    return own;
  });
}

/** Names cut to `n` characters at their ends; where that makes two alike, all are {@link clipApart}. */
export function clipEndsApart(names: readonly string[], n: number): string[] {
  const ends = names.map(name => clipEnd(name, n));
  return new Set(ends).size === new Set(names).size ? ends : clipApart(names, n);
}

/** Cut the middle out, so that both the start and the end of a name or an address can be read. */
export function clipMiddle(text: string, n: number): string {
  if (text.length <= n) return text;
  const points = [...text];
  if (points.length <= n) return text;
  const tail = Math.floor((n - 1) / 3);
  return `${points.slice(0, n - 1 - tail).join("")}…${points.slice(points.length - tail).join("")}`;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Cut to `n` columns of monospace letters, the last of them an ellipsis; Chinese, Korean and the like take two. */
export function clipColumns(text: string, n: number): string {
  const wholeMost = text.slice(0, n + 1);
  if (wholeMost.length <= n && !WIDE.test(wholeMost)) return text;
  let columns = 0;
  let kept = "";
  for (const character of text) {
    const own = WIDE.test(character) ? 2 : 1;
    if (columns + own > n) return `${trimTo(kept, n - 1)}…`;
    columns += own;
    kept += character;
  }
  return text;
}

function trimTo(text: string, n: number): string {
  const characters = [...text];
  let columns = characters.reduce((sum, character) => sum + (WIDE.test(character) ? 2 : 1), 0);
  while (columns > n) columns -= WIDE.test(characters.pop()!) ? 2 : 1;
  return characters.join("");
}
