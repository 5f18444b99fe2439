/**
 * Text written by attackers, made harmless for a terminal and cut to a width.
 *
 * Escapes are for the eye: a backslash in the text stays one backslash, so `visible` cannot be undone. Whoever
 * needs the exact text takes `--json`.
 */

/** Longest text quoted in a message, in terminal columns. */
const MESSAGE_COLUMNS = 80;
/** UTF-16 units one grapheme may take; longer ones (endless Hangul jamo) are cut like text that is too wide. */
const MAX_GRAPHEME_UNITS = 16;

/**
 * What must not reach a terminal as it is: controls (C0, C1, DEL), format characters (bidi, zero-width, BOM, tags),
 * lone surrogates, private and unassigned code points, line and paragraph separators, everything that is ignored
 * by default (fillers, variation selectors), and a combining mark with no letter to stand on or the fourth on one.
 */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\p{DI}]|(?<=^|[\p{C}\p{Zl}\p{Zp}\p{DI}]|\p{M}{3})\p{M}/u;
const ALL_UNSAFE = new RegExp(UNSAFE, "gu");
const PRINTABLE_ASCII = /^[ -~]*$/;

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** Made when it is first wanted: it takes 20 ms, and most texts are ASCII. */
let segmenter: Intl.Segmenter | undefined;

/**
 * Show what a terminal would obey or hide: `\n`, `\x1b`, `\u{202e}`.
 *
 * @returns One line that moves no cursor; the text itself when it holds nothing of the kind.
 */
export function visible(text: string): string {
  if (PRINTABLE_ASCII.test(text) || !UNSAFE.test(text)) return text;
  return text.replace(ALL_UNSAFE, character => {
    const codePoint = character.codePointAt(0)!;
    const hex = codePoint.toString(16);
    return SHORT_ESCAPES.get(character) ?? (codePoint <= 0xff ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`);
  });
}

/** What a terminal obeys and a page never needs: all of C0 but tab and line feed, DEL, C1. */
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f-\x9f]/g;

/** The same text with no control character in it, shown as {@link visible} shows them: for whatever is written out. */
export function withoutControls(text: string): string {
  return text.replace(CONTROLS, visible);
}

/** Columns a text takes on a terminal: 2 for East Asian wide characters and emoji, 0 for combining marks. */
export function textWidth(text: string): number {
  return PRINTABLE_ASCII.test(text) ? text.length : Bun.stringWidth(text);
}

/**
 * Cut a text to a number of terminal columns, between graphemes; a cut text ends in "…".
 *
 * `Bun.sliceAnsi` does not hold the width where a wide character meets it, and keeps a grapheme however long it is.
 *
 * @param text As it will be shown, so already through {@link visible}.
 * @param columns At least 1.
 * @throws {RangeError} if `columns` is not a whole number >= 1.
 */
export function ellipsize(text: string, columns: number): string {
  if (!Number.isSafeInteger(columns) || columns < 1) {
    throw new RangeError(`Cannot cut text to ${columns} columns: expected a whole number >= 1`);
  }
  if (text.length <= columns && PRINTABLE_ASCII.test(text)) return text;
  let width = 0;
  // End of what still leaves a column for the ellipsis.
  let end = 0;
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  for (const { segment, index } of segmenter.segment(text)) {
    const segmentWidth = Bun.stringWidth(segment);
    if (segment.length > MAX_GRAPHEME_UNITS || width + segmentWidth > columns) return `${text.slice(0, end)}…`;
    width += segmentWidth;
    if (width <= columns - 1) end = index + segment.length;
  }
  return text;
}

/**
 * A foreign text inside a message: in quotes, escaped, cut to 80 columns.
 *
 * @example quoteForMessage('say "hi"\n') // "say \"hi\"\n"
 */
export function quoteForMessage(text: string): string {
  // No more than four units are shown per column, so a text of megabytes costs nothing here.
  const head = text.length > 4 * MESSAGE_COLUMNS ? `${text.slice(0, 4 * MESSAGE_COLUMNS)}…` : text;
  return `"${ellipsize(visible(head).replaceAll('"', '\\"'), MESSAGE_COLUMNS)}"`;
}

/**
 * JSON on one line that is safe to show on a terminal and loses nothing: whatever {@link visible} would escape
 * is written as `\uXXXX`, and `JSON.parse` gives back the same value.
 */
export function toSafeJson(value: unknown): string {
  return JSON.stringify(value).replace(ALL_UNSAFE, character => {
    let escaped = "";
    for (let i = 0; i < character.length; i++) {
      escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
    }
    return escaped;
  });
}

/** What the common system errors mean to a person; everything else keeps its own message. */
const SYSTEM_ERRORS: ReadonlyMap<string, string> = new Map([
  ["EACCES", "permission denied"],
  ["EBADF", "it is closed"],
  ["EDQUOT", "disk quota used up"],
  ["EEXIST", "a file of that name is in the way"],
  ["EFBIG", "file too large"],
  ["EIO", "the disk reports an error"],
  ["EISDIR", "it is a folder"],
  ["ELOOP", "too many symbolic links"],
  ["EMFILE", "too many open files"],
  ["ENAMETOOLONG", "name too long"],
  ["ENOENT", "no such file or folder"],
  ["ENOSPC", "no space left on the disk"],
  ["ENOTDIR", "a part of the path is not a folder"],
  ["EPERM", "operation not permitted"],
  ["EROFS", "read-only file system"],
]);

/** The reason in a failed system call, in words; the message of any other error. */
export function errorReason(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return SYSTEM_ERRORS.get(String(code)) ?? (typeof message === "string" ? message : String(error));
}

/** Break prose at spaces into lines of at most `columns`; a word longer than that gets a line of its own. */
export function wrapText(text: string, columns: number): string[] {
  const words = text.trim().replace(/\s+/g, " ");
  // A number stays with its "%".
  const joined = words.replace(/(?<=\d) %/g, "\u00a0%");
  return words === "" ? [] : Bun.wrapAnsi(joined, columns).replaceAll("\u00a0%", " %").split("\n");
}

/** Order of two texts by their UTF-16 code units, for sorting: the same on every machine, whatever its language. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
