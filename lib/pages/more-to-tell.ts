/**
 * What else is worth a sentence on the first screen of a report: the strongest tested changes, and what nobody had seen
 * before.
 *
 * Tested in `test/lib/pages/more-to-tell.test.ts`.
 */
import type { LeadingCampaign } from "../campaigns/leading-campaign.ts";
import { describeDays, type SentencePart, valuesText } from "../history/episode-words.ts";
import type { Episode } from "../history/episodes.ts";
import type { ChangeRow } from "../statistics/change.ts";
import { withoutEchoes } from "../statistics/echoes.ts";
import type { ChangeKind, KeyValues } from "../statistics/keyed-rows.ts";
import type { LedgerEntry } from "../statistics/ledger.ts";
import type { Statistics } from "../statistics/statistics.ts";
import type { ValueType } from "../statistics/value-rows.ts";
import { formatNumber, formatShare, plural } from "../text/format.ts";
import { sensorLabel } from "../text/labels.ts";
import { networkOf } from "../text/network.ts";
import { everything, sumByDay } from "../view/cells.ts";
import { type HistoryRow, toPerStep, toSentence } from "../view/report-history.ts";
import { SECTIONS } from "../view/report-sections.ts";
import type { Scope } from "../view/report-view.ts";
import { changeWord } from "../view/stats-tables.ts";

/** More than a page's first screen tells, for what episodes or a filter leave out. */
const CHANGES_MOST = 4;
/** What is no doing of anybody, or said better by another kind. */
const UNTOLD: ReadonlySet<ChangeKind> = new Set(["event", "distinct", "session_closed", "pre_disconnect_command"]);
const HASHES: ReadonlySet<ChangeKind> = new Set(["file_download", "file_upload", "hash"]);
const WORDS: Readonly<Partial<Record<ChangeKind, string>>> = { connect: "address", file_download: "file", file_upload: "uploaded file", proxy_request: "proxy target" };

/** Most telling first. */
const FIRSTS = [
  ["hash", "file", "files"],
  ["sshKey", "SSH key", "SSH keys"],
  ["urlHost", "download host", "download hosts"],
] as const satisfies readonly (readonly [ValueType, string, string])[];

/**
 * The rows, most remarkable first: a campaign that made most of its days, changes, no two of the same value, then one of
 * what was new.
 *
 * @param episodes Those of the page, in the order of its rows.
 */
export function findMoreToTell(scope: Scope, statistics: Statistics, episodes: readonly Episode[], leading?: LeadingCampaign): HistoryRow[] {
  const firsts = toFirstsRow(scope, statistics, episodes);
  const campaign = leading === undefined ? [] : [toCampaignRow(scope, leading, episodes)];
  return [...campaign, ...chooseChanges(statistics).map(change => toChangeRow(scope, change, episodes)), ...(firsts === undefined ? [] : [firsts])];
}

/** The strongest of the reported changes: of all days in question and all sensors before others, what came before what went. */
function chooseChanges({ changes, sensors }: Statistics): ChangeRow[] {
  const worth = withoutEchoes(changes.filter(({ reported, disagrees, kind }) => reported && !disagrees && !UNTOLD.has(kind)));
  const width = ({ view, sensor }: ChangeRow) => (view === "period" ? 2 : 0) + (sensor === null || sensors.length === 1 ? 1 : 0);
  const sorted = worth.toSorted((a, b) => width(b) - width(a) || Number(b.ratio >= 1) - Number(a.ratio >= 1) || strengthOf(b) - strengthOf(a));
  const chosen: ChangeRow[] = [];
  const said = new Set<string>();
  for (const row of sorted) {
    const texts = textsOf(row.kind, row.key);
    if (chosen.length < CHANGES_MOST && !texts.some(text => said.has(text))) chosen.push(row);
    for (const text of texts) said.add(text);
  }
  return chosen;
}

/** How many times the former rate, or its part, it is at least: the end of the interval that lies nearer to one. */
function strengthOf({ ratio, low, high }: ChangeRow): number {
  return ratio >= 1 ? low : 1 / Math.max(high ?? Infinity, Number.MIN_VALUE);
}

/** The texts by which a key is known again in another one; of a command its program, of an address its network. */
function textsOf(kind: string, key: KeyValues): string[] {
  return key
    .filter(value => typeof value === "string" && value !== "")
    .flatMap(value => {
      const text = String(value);
      if (kind === "command" || kind === "program") return [text, `program ${text.split(" ", 1)[0]!}`];
      return [text, networkOf(text) ?? text];
    });
}

function toChangeRow(scope: Scope, change: ChangeRow, episodes: readonly Episode[]): HistoryRow {
  const { firstDay: first, lastDay: last, kind, key, sensor } = change;
  const own = new Set(textsOf(kind, key));
  const isSaid = ({ keys, first: from, last: to }: Episode) =>
    from <= last && to >= first && keys.some(({ family, values }) => textsOf(family, [...values]).some(text => own.has(text)));
  const codes = sensor === null ? [] : codesOf(scope, [sensor]);
  return {
    ...{ shape: "change", first, last, begins: true, ends: last < lastDayOf(scope), basis: "tested", score: 0 },
    sensors: codes,
    sentence: toSentence(describeChange(change, scope)),
    name: [wordOfChange(kind), ""],
    perStep: countPerStep(scope, kind, key, codes),
    saidBy: episodes.flatMap((episode, place) => (isSaid(episode) ? [place] : [])),
  };
}

const wordOfChange = (kind: ChangeKind) => WORDS[kind] ?? changeWord(kind);

function describeChange({ firstDay, lastDay, kind, key, category, unit, count, expected, sensor, sensorsSeen, sensorsUp }: ChangeRow, { data }: Scope): SentencePart[] {
  const word = wordOfChange(kind);
  const shown = HASHES.has(kind) ? key.filter(one => one !== null).slice(-1) : kind === "client" ? key.filter(one => one !== null) : key;
  const before = { new: `a new ${word} `, up: `more of ${word} `, down: `less of ${word} ` }[category as string] ?? `${word} `;
  const behind = { gone: " is gone", returning: " is back", "new here": " is new there" }[category as string] ?? "";
  const where: SentencePart[] =
    data.sensors.length === 1
      ? []
      : sensor !== null
        ? [{ text: " on " }, { text: sensorLabel(sensor), isValue: true }]
        : count === 0
          ? []
          : [{ text: ` on ${sensorsSeen < sensorsUp ? `${formatNumber(sensorsSeen)} of ${plural(sensorsUp, "sensor")}` : sensorsUp === 2 ? "both sensors" : `all ${plural(sensorsUp, "sensor")}`}` }];
  const isSources = unit === "sources";
  const number = count === 0 ? "none" : isSources ? `from ${plural(count, "address", "addresses")}${firstDay < lastDay ? " (each day's)" : ""}` : plural(count, "time");
  const usual = formatNumber(expected, expected < 9.95 ? 1 : 0);
  return [
    { text: `${daysOf(firstDay, lastDay)}: ${before}` },
    { text: valuesText(shown, HASHES.has(kind)), isValue: true },
    ...(category === "new here" ? [{ text: " is new" }, ...where] : [{ text: behind }]),
    { text: `${count === 0 ? ":" : ","} ${number}` },
    ...(category === "new here" ? [] : where),
    { text: `${count === 0 ? "" : ","} where ${usual} ${usual === "1" ? "was" : "were"} expected.` },
  ];
}

const daysOf = (first: number, last: number) => describeDays({ shape: "burst", first, last, begins: true, ends: true });

/** What was seen on no earlier day, of all kinds in one sentence; what an episode tells already is not told again. */
function toFirstsRow(scope: Scope, { novelty, lastDay }: Statistics, episodes: readonly Episode[]): HistoryRow | undefined {
  const told = new Set(episodes.flatMap(({ keys }) => keys.flatMap(({ values }) => values.filter(value => typeof value === "string"))));
  const textOf = ({ value }: LedgerEntry) => value[0] ?? "";
  const kinds = FIRSTS.flatMap(([type, one, many]) => {
    const entries = novelty.new.filter(entry => entry.type === type);
    const [lead] = entries.filter(entry => !told.has(textOf(entry)));
    const number = novelty.totals.find(total => total.type === type)?.new ?? 0;
    return lead === undefined ? [] : [{ type, lead, entries, number, words: number === 1 ? one : many }];
  });
  if (kinds.length === 0) return undefined;
  const sensors = [...new Set(kinds.flatMap(({ entries }) => entries.flatMap(entry => entry.sensors.map(seen => seen.sensor))))];
  const parts = kinds.flatMap(({ type, lead, number, words }, i): SentencePart[] => [
    { text: `${i === 0 ? "" : i === kinds.length - 1 ? " and " : " "}${formatNumber(number)} ${words}${number > 1 ? (i === 0 ? ", first of all " : " such as ") : " "}` },
    { text: valuesText([textOf(lead)], type === "hash"), isValue: true },
    ...(i === 0 && kinds.length > 1 ? [{ text: "," }] : []),
  ]);
  const first = Math.max(novelty.sinceDay, scope.data.grid.firstDay);
  const all = scope.data.sensors.length;
  const where = all === 1 ? "" : ` on ${sensors.length === all ? `all ${formatNumber(all)}` : `${formatNumber(sensors.length)} of ${formatNumber(all)}`} sensors`;
  const [{ type, lead }] = kinds as [(typeof kinds)[number]];
  return {
    ...{ shape: "firsts", first, last: lastDay, begins: true, ends: false, basis: "counted", score: 0 },
    sensors: codesOf(scope, sensors),
    sentence: toSentence([{ text: `${daysOf(first, lastDay)}, seen for the first time: ` }, ...parts, { text: `${kinds.length > 1 ? "," : ""}${where}.`.replace(/^,\./, ".") }]),
    name: ["new", ""],
    perStep: type === "hash" ? countPerStep(scope, "hash", [textOf(lead)], []) : [],
  };
}

/** A campaign of which most sessions are that typed anything on its days. */
function toCampaignRow(scope: Scope, { name, first, last, typed, all, addresses, sensors, commands, perDay }: LeadingCampaign, episodes: readonly Episode[]): HistoryRow {
  const { data } = scope;
  const number = data.sensors.length;
  const where = number === 1 ? "" : ` on ${sensors.length < number ? `${formatNumber(sensors.length)} of ${plural(number, "sensor")}` : `all ${plural(number, "sensor")}`}`;
  const own = new Set(commands);
  const isSaid = ({ keys, first: from, last: to }: Episode) =>
    from <= last && to >= first && keys.some(({ family, values }) => family === "command" && own.has(String(values[0])));
  return {
    ...{ shape: "campaign", first, last, begins: true, ends: last < lastDayOf(scope), basis: "counted", score: 0 },
    sensors: codesOf(scope, sensors),
    sentence: toSentence([
      { text: `${daysOf(first, last)}: ${formatNumber(typed)} of ${formatNumber(all)} sessions with commands (${formatShare(typed / all)}) are one campaign, ` },
      { text: valuesText([name]), isValue: true },
      { text: `, from ${plural(addresses, "address", "addresses")}${where}.` },
    ]),
    name: ["campaign", valuesText([name])],
    perStep: toPerStep({ firstDay: first, counts: perDay }, data.grid).map(count => count ?? 0),
    saidBy: episodes.flatMap((episode, place) => (isSaid(episode) ? [place] : [])),
  };
}

const lastDayOf = ({ data: { grid } }: Scope) => grid.firstDay + grid.days - 1;

/** Sensors by code; those not drawn by themselves by that of all others. */
function codesOf({ data: { sensors, grid } }: Scope, names: readonly string[]): number[] {
  const codes = names.map(name => sensors.indexOf(name)).map(code => (code < 0 ? (grid.others ?? -1) : code));
  return [...new Set(codes)].filter(code => code >= 0);
}

/** The small line of a key, where the page carries its counts. */
function countPerStep(scope: Scope, kind: ChangeKind, key: KeyValues, codes: readonly number[]): HistoryRow["perStep"] {
  const { data, watched } = scope;
  const isHash = HASHES.has(kind);
  const nameOf = (own: readonly unknown[]) => JSON.stringify(isHash ? own.at(-1) : own);
  const name = nameOf(key);
  const [cells] = data.sections.flatMap(({ id, keys, cells: counts }) => {
    const spec = SECTIONS.find(one => one.id === id)!;
    const isOf = isHash ? spec.columns.at(-1) === "shasum" : spec.kind === kind && spec.columns.length === key.length;
    const place = isOf ? keys.findIndex(own => nameOf(own) === name) : -1;
    return place < 0 ? [] : [counts[place]!];
  });
  if (cells === undefined) return [];
  const all = everything(data.grid);
  const filter = codes.length === 0 ? all : { ...all, sensors: all.sensors.map((_, code) => Number(codes.includes(code))) };
  const counts = Array.from(sumByDay(cells, data.grid, filter), (count, day) => (watched[day]! > 0 ? count : null));
  return toPerStep({ firstDay: data.grid.firstDay, counts }, data.grid);
}
