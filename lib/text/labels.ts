/** Short forms for charts and key figures, where format.ts would take too much room. */
import { formatNumber } from "./format.ts";
import { visible } from "./text.ts";
import { DAY_MS, MONTHS, WEEKDAYS } from "./time.ts";

const UNITS = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** `1234567` as `1.2M`: at most four characters, for ticks and labels. */
export function toShort(n: number): string {
  for (const [unit, suffix] of UNITS) {
    if (n >= 0.9995 * unit) return `${trimZero((n / unit).toFixed(n < 9.95 * unit ? 1 : 0))}${suffix}`;
  }
  return trimZero(n.toFixed(n < 9.95 ? 1 : 0));
}

function trimZero(text: string): string {
  return text.endsWith(".0") ? text.slice(0, -2) : text;
}

/** A change (0.12 = 12 % more) with its sign; a real minus, so that columns align. Only none at all is −100 %. */
export function toChange(change: number): string {
  const size = Math.abs(100 * change);
  const text = size >= 100 ? formatNumber(size) : trimZero((change < 0 ? Math.min(size, 99.9) : size).toFixed(1));
  return text === "0" ? "±0 %" : `${change < 0 ? "−" : "+"}${text} %`;
}

/** A day as `1 Mar`. */
export function toDayLabel(day: number): string {
  const date = new Date(day * DAY_MS);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]!}`;
}

/** A day as `Fri 1 Mar 2024`. */
export function toLongDay(day: number): string {
  const date = new Date(day * DAY_MS);
  return `${WEEKDAYS[date.getUTCDay()]!} ${toDayLabel(day)} ${date.getUTCFullYear()}`;
}

/** The month of a day as `Mar` or `Mar 2024`. */
export function toMonthLabel(day: number, withYear: boolean): string {
  const date = new Date(day * DAY_MS);
  const month = MONTHS[date.getUTCMonth()]!;
  return withYear ? `${month} ${date.getUTCFullYear()}` : month;
}

/** Put a text into quotes where nobody would see where it begins or ends, or that there is anything. */
export function quoteEdges(text: string): string {
  return text === "" || /^\s|\s$/.test(text) ? `"${text}"` : text;
}

/** A sensor's name for the eye, also where it has none. */
export function sensorLabel(sensor: string): string {
  return sensor === "" ? "(no name)" : quoteEdges(visible(sensor));
}

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

/** Cut the middle out, so that both the start and the end of a name or an address can be read. */
export function clipMiddle(text: string, n: number): string {
  if (text.length <= n) return text;
  const points = [...text];
  if (points.length <= n) return text;
  const tail = Math.floor((n - 1) / 3);
  return `${points.slice(0, n - 1 - tail).join("")}…${points.slice(points.length - tail).join("")}`;
}
