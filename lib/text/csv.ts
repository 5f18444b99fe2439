/**
 * CSV after RFC 4180 that a spreadsheet opens without running anything in it.
 *
 * Lines end in LF, not CRLF: the output goes through pipes, and spreadsheets take both. Control characters are shown as
 * everywhere else (`\x1b`, `\n`): a line of CSV may be looked at on a terminal, and is one row. Text that a spreadsheet
 * would take for a formula gets an apostrophe before it, which {@link unguardFormula} takes away again; numbers
 * we counted ourselves stay numbers.
 */
import { visible } from "./text.ts";

/** What a cell may hold; null and undefined become an empty cell. */
export type CsvValue = string | number | bigint | boolean | null | undefined;

/**
 * What programs drop before they look for a formula (quotes, blanks, controls, and what only looks like a blank), and
 * ";", see {@link guardFormula}.
 */
const LEAD = /(?<!['"\s\p{C}\p{DI}\u2800;])['"\s\p{C}\p{DI}\u2800;]+/gu;
/** Every character that is a sign once its width, height or size are put aside (NFKC), and the minus of mathematics. */
const SIGN = /[=+\-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋−⩵⩶﬩]/;
const STARTS_LIKE_FORMULA = /^(?:['"\s\p{C}\p{DI}\u2800;]*[=+\-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋−⩵⩶﬩]|'*[\t\r])/u;
/** What some program or setting takes for the end of a cell or of a line. */
const END = /[;\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029]/;
const NEEDS_QUOTES = /[",;\t\r\n]|^\s|\s$/;

/** Where the part of a lead begins that would stand at the start of a cell; -1 if it all belongs to the text before. */
function startOfCell(lead: string): number {
  let start = lead.length;
  while (start > 0 && !END.test(lead[start - 1]!)) start--;
  return start || -1;
}

/**
 * Put an apostrophe wherever a spreadsheet could see the start of a formula: before a text that begins like one, and
 * within a text after what some settings take for the end of a cell. (Excel splits at ";" where "," is the decimal
 * point, and does not see our quotes then.)
 */
export function guardFormula(text: string): string {
  const guarded = text.replace(LEAD, (lead, offset: number) => {
    const start = SIGN.test(text[offset + lead.length] ?? "") ? startOfCell(lead) : -1;
    return start < 0 ? lead : `${lead.slice(0, start)}'${lead.slice(start)}`;
  });
  return STARTS_LIKE_FORMULA.test(text) ? `'${guarded}` : guarded;
}

/** The text as it was before {@link guardFormula}, whatever it was. */
export function unguardFormula(guarded: string): string {
  const text = STARTS_LIKE_FORMULA.test(guarded) ? guarded.slice(1) : guarded;
  return text.replace(LEAD, (lead, offset: number) => {
    const start = SIGN.test(text[offset + lead.length] ?? "") ? startOfCell(lead) : -1;
    return start < 0 ? lead : lead.slice(0, start) + lead.slice(start + 1);
  });
}

/** One cell, quoted where RFC 4180 asks for it; of a number only what is finite, else empty. */
function toCell(value: CsvValue): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  if (typeof value !== "string") return String(value);
  const text = guardFormula(visible(value));
  // An empty text is quoted, so that it differs from no value.
  return text === "" || NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * One line of CSV with its LF.
 *
 * @example toCsvLine(["=1+1", -5, null, "a,b"]) // "'=1+1,-5,,\"a,b\"\n"
 */
export function toCsvLine(values: readonly CsvValue[]): string {
  const line = values.map(toCell).join(",");
  // A line of one empty cell would read as no line at all.
  return `${values.length === 1 && line === "" ? '""' : line}\n`;
}

/** Header and rows as one text; for large tables write line by line with {@link toCsvLine}. */
export function toCsv(header: readonly string[], rows: Iterable<readonly CsvValue[]>): string {
  let text = toCsvLine(header);
  for (const row of rows) text += toCsvLine(row);
  return text;
}
