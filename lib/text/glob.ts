/**
 * Patterns with `*` and `?`, matched in steps that cannot explode whatever the pattern; a backslash takes the meaning
 * from the character behind it.
 */

/** Tell whether a pattern has a `*` or `?` that means more than itself. */
export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern.replace(/\\[\\*?]/g, ""));
}

/** The text that a pattern without `*` and `?` stands for. */
export function unescapeGlob(pattern: string): string {
  return pattern.replace(/\\([\\*?])/g, "$1");
}

/** Tell whether a pattern matches the whole of a text; `*` stands for any text, `?` for one character. */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let star = -1;
  let starAt = 0;
  for (let t = 0; t < text.length; ) {
    if (pattern[p] === "*") {
      star = p++;
      starAt = t;
      continue;
    }
    const isEscaped = pattern[p] === "\\" && /[\\*?]/.test(pattern[p + 1] ?? "");
    const wanted = pattern[isEscaped ? p + 1 : p];
    if (p < pattern.length && ((wanted === "?" && !isEscaped) || wanted === text[t])) {
      p += isEscaped ? 2 : 1;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++starAt;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
