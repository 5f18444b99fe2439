/**
 * An episode as a sentence in plain English. What attackers or operators wrote stands in parts of its own, whole but for
 * its length, so that each place that shows it can make it harmless in its own way.
 *
 * Tested in `test/lib/history/episodes.test.ts`.
 */
import { formatNumber, formatShare, plural } from "../text/format.ts";
import { clipEnd } from "../text/cut.ts";
import { sensorLabel, toDayLabel } from "../text/labels.ts";
import { visible } from "../text/text.ts";
import { FAMILIES, type Family } from "./families.ts";
import type { Episode, EpisodeKey } from "./episodes.ts";
import { type PeakLeader, TOLD_MOST } from "./peaks.ts";

/** A piece of a sentence: ours, or a value, which is set in another type. Both are safe to show as text. */
export interface SentencePart {
  readonly text: string;
  readonly isValue?: true;
}

/** What the events of a family are called, one and several. */
const EVENT_WORDS: Readonly<Record<Family, readonly [string, string]>> = {
  credential: ["login", "logins"],
  username: ["login", "logins"],
  password: ["login", "logins"],
  command: ["command", "commands"],
  file: ["download", "downloads"],
  upload: ["upload", "uploads"],
  target: ["proxy request", "proxy requests"],
  user: ["proxy request", "proxy requests"],
  address: ["connection", "connections"],
  network: ["connection", "connections"],
  client: ["session", "sessions"],
  hassh: ["session", "sessions"],
  event: ["event", "events"],
};

/** Keys that say nothing beside another one of the same episode. */
const SAID_BY: Readonly<Partial<Record<Family, readonly Family[]>>> = {
  username: ["credential"],
  password: ["credential", "username"],
  network: ["address", "user"],
  address: ["user"],
  hassh: ["client"],
  event: ["credential", "username", "password", "command", "file", "upload", "target", "user", "address", "network", "client", "hassh"],
};
/** Keys named beside the leader. */
const OTHERS_MOST = 2;
const VALUE_MOST = 48;
/** Of a hash the beginning tells it apart. */
const HASH_MOST = 13;
/** Smaller parts of all, and parts of longer times, are not told. */
const LEAST_SHARE = 0.2;
const SHARE_DAYS = 14;

/** The sentence of an episode, with its days in front; `of` is the archive's last day, by which years are left out. */
export function describeEpisode(episode: Episode): SentencePart[] {
  return joinTexts([{ text: `${describeDays(episode)}: ` }, ...describeWhat(episode), { text: "." }]);
}

/** A sentence as one text, values between backticks. */
export function toPlainSentence(parts: readonly SentencePart[]): string {
  return parts.map(({ text, isValue }) => (isValue ? `\`${text}\`` : text)).join("");
}

/** The days of an episode: `30 Jul`, `15 to 16 Jun`, `since 30 Jul`, `until 2 Aug`. */
export function describeDays({ shape, first, last, begins, ends }: Pick<Episode, "shape" | "first" | "last" | "begins" | "ends">): string {
  const [from, to] = [toDayLabel(first), toDayLabel(last)];
  if (shape === "ended") return `Until ${to}`;
  if (shape === "silent" || (begins && !ends && shape !== "new-sensor" && shape !== "upgrade")) return `Since ${from}`;
  if (first === last) return from;
  const [fromDay, fromMonth] = from.split(" ");
  return fromMonth === to.split(" ")[1] ? `${fromDay} to ${to}` : `${from} to ${to}`;
}

/** An episode in a word or two: what it is of, and which; of sensors what happened to them, and the first of them. */
export function nameOf({ keys, sensors, shape, isLocal }: Episode): [string, string] {
  const [lead] = keys;
  // What one sensor alone saw stands beside the same of others, or of all.
  const where = isLocal === true && sensors.length === 1 ? ` on ${sensorLabel(sensors[0]!)}` : "";
  if (lead !== undefined) return [FAMILIES[lead.family].word, `${keyText(lead)}${where}`];
  return [SENSOR_WORDS[shape] ?? "", sensors.length > 1 ? plural(sensors.length, "sensor") : sensorLabel(sensors[0]!)];
}

const SENSOR_WORDS: Readonly<Partial<Record<Episode["shape"], string>>> = {
  outage: "no watch:",
  silent: "silent:",
  "new-sensor": "new sensor",
  upgrade: "other version:",
};

/** Consecutive texts as one. */
function joinTexts(parts: readonly SentencePart[]): SentencePart[] {
  const joined: { text: string; isValue?: true }[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (last !== undefined && last.isValue === undefined && part.isValue === undefined) last.text += part.text;
    else joined.push({ ...part });
  }
  return joined;
}

/** The sentence without its days. */
function describeWhat(episode: Episode): SentencePart[] {
  const [text, value] = [(words: string): SentencePart => ({ text: words }), (words: string): SentencePart => ({ text: words, isValue: true })];
  const { shape, sensors, watch } = episode;
  if (watch !== undefined) {
    const names = listValues(sensors.map(sensorLabel), 3);
    if (shape === "outage") return [...names, text(` did not watch for ${plural(watch.hours, "hour")}${sensors.length > 1 ? " together" : ""}`)];
    if (shape === "silent") return [text("nothing from "), ...names];
    if (shape === "new-sensor") return [...names, text(sensors.length > 1 ? " are new" : " is new")];
    const change = [
      ...(watch.eventids.length > 0 ? [text(" from here on "), ...listValues(watch.eventids.map(visible), 3)] : []),
      ...(watch.goneEventids.length > 0 ? [text(watch.eventids.length > 0 ? ", and no longer " : " no longer "), ...listValues(watch.goneEventids.map(visible), 3)] : []),
    ];
    return [...names, text(sensors.length > 1 ? " log" : " logs"), ...change, text(": probably another version of Cowrie")];
  }
  if (shape === "peak") return describePeak(episode);
  const keys = chooseKeys(episode);
  const [lead, ...others] = keys;
  // What one sensor alone sees more of, others had before.
  const isNew = episode.isLocal !== true && lead!.before !== null && lead!.before <= 0.05 * lead!.level;
  const parts = [
    text(openingOf(episode, lead!, isNew)),
    ...nameKey(lead!),
    ...whereFrom(episode, lead!),
    ...withOthers(others),
    text(closingOf(episode, lead!, isNew)),
    ...peaksOf(episode, lead!),
  ];
  return parts.filter(part => part.isValue || part.text !== "").map(part => (part.isValue ? value(part.text) : part));
}

function listValues(values: readonly string[], most: number): SentencePart[] {
  const shown = values.slice(0, most);
  const parts = shown.flatMap((value, i): SentencePart[] => {
    const isLast = i === shown.length - 1 && values.length === shown.length;
    const before = i === 0 ? "" : isLast ? " and " : ", ";
    return [...(before === "" ? [] : [{ text: before }]), { text: clipEnd(value, VALUE_MOST), isValue: true }];
  });
  return values.length > most ? [...parts, { text: ` and ${formatNumber(values.length - most)} more` }] : parts;
}

/** What leads the sentence and up to {@link OTHERS_MOST} others that add to it. */
function chooseKeys({ keys, sources }: Episode): EpisodeKey[] {
  const families = new Set(keys.map(({ family }) => family));
  const isSaid = ({ family }: EpisodeKey) => (SAID_BY[family] ?? []).some(other => families.has(other));
  const [lead, ...rest] = keys;
  const others: EpisodeKey[] = [];
  // One address of many is named only where it leads.
  const isOneOfMany = ({ family }: EpisodeKey) => (family === "address" || family === "user") && sources !== undefined && sources > 1;
  for (const key of rest.filter(one => !isSaid(one) && !isOneOfMany(one))) {
    const isThere = key.family === lead!.family || others.some(other => other.family === key.family);
    if (!isThere && others.length < OTHERS_MOST) others.push(key);
  }
  return [lead!, ...others];
}

function openingOf({ shape, alike }: Episode, { family }: EpisodeKey, isNew: boolean): string {
  const { word, words } = FAMILIES[family];
  const isRising = shape === "began" || shape === "ramp";
  const isScript = family === "command" && alike > 1;
  const number = isScript ? `a ${isRising && isNew ? "new " : ""}script of ${formatNumber(alike)}` : formatNumber(alike);
  const what = alike > 1 ? `${number} ${words}, first of all ` : `${word} `;
  if (isRising && !isNew) return `more of ${what}`;
  if (isRising) return isScript ? what : alike > 1 ? `${formatNumber(alike)} new ${words}, first of all ` : `a new ${what}`;
  return shape === "paused" ? `a pause of ${what}` : what;
}

function nameKey(key: EpisodeKey): SentencePart[] {
  return [{ text: keyText(key), isValue: true }];
}

function keyText({ family, values }: EpisodeKey): string {
  return valuesText(values, family === "file" || family === "upload" || family === "hassh");
}

/** The values of a key for the eye: `root / admin`, `192.0.2.1 port 25`; of a hash its beginning. */
export function valuesText(values: EpisodeKey["values"], isHash = false): string {
  const texts = values.map((value, i) => {
    const text = value === null ? "(none)" : String(value) === "" ? '""' : visible(String(value));
    return i === 0 ? text : `${typeof value === "number" ? " port " : " / "}${text}`;
  });
  return clipEnd(texts.join(""), isHash ? HASH_MOST : VALUE_MOST);
}

/** From how many addresses, on which sensors, and how much that is of the days' events. */
function whereFrom({ sensors, sensorsWatching, isLocal, sources, events, first, last }: Episode, lead: EpisodeKey): SentencePart[] {
  const parts: SentencePart[] = [];
  const [one, many] = EVENT_WORDS[lead.family];
  const isOwn = lead.family === "address" || lead.family === "user";
  const share = (lead.share * events) / lead.events;
  // Whose events are counted, theirs are the addresses.
  const from = events === lead.events ? lead.sources : sources;
  const isTyped = lead.family === "command";
  parts.push({ text: isTyped ? `, typed ${events === 1 ? "once" : plural(events, "time")}` : `, ${plural(events, one, many)}` });
  if (share >= LEAST_SHARE && last - first < SHARE_DAYS) parts.push({ text: ` (${formatShare(share)} of all)` });
  if (from !== undefined && !isOwn) parts.push({ text: ` from ${plural(from, "address", "addresses")}` });
  if (sensorsWatching > 1) {
    if (sensors.length === 1) parts.push({ text: " on " }, { text: sensorLabel(sensors[0]!), isValue: true });
    else parts.push({ text: ` on ${sensors.length < sensorsWatching ? `${formatNumber(sensors.length)} of ${formatNumber(sensorsWatching)}` : sensors.length === 2 ? "both" : `all ${formatNumber(sensors.length)}`} sensors` });
    if (isLocal === true) parts.push({ text: " only" });
  }
  return parts;
}

function withOthers(others: readonly EpisodeKey[]): SentencePart[] {
  return others.flatMap((key, i): SentencePart[] => [
    { text: `${i === 0 ? ", with " : " and "}${FAMILIES[key.family].word} ` },
    ...nameKey(key),
  ]);
}

function closingOf({ shape, ends }: Episode, { before, after, level }: EpisodeKey, isNew: boolean): string {
  const rate = (value: number) => formatNumber(value, value < 9.95 ? 1 : 0);
  if (shape === "ended" || shape === "passed") return after !== null && after > 0.05 * level ? `; then ${rate(after)} in place of ${rate(level)} a day` : "; then gone";
  if (shape === "paused") return `; ${rate(before ?? 0)} a day before, ${rate(after ?? 0)} after`;
  if (shape === "burst") return before !== null && !isNew ? `; ${rate(before)} on other days` : "";
  const from = before !== null && !isNew ? `; ${rate(before)} → ${rate(level)} a day` : "";
  return ends ? from : `${from}; still going`;
}

/** A peak of which one address made most, and nothing else is known. */
function describePeak({ peaks = [], sensors }: Episode): SentencePart[] {
  const [{ address }] = peaks as [PeakLeader];
  const made = peaks.slice(0, TOLD_MOST).map((peak, i) => `${i === 0 ? "" : " and "}${ofPeak(peak)}`).join("");
  const where: SentencePart[] = sensors.length === 1 && sensors[0] !== "" ? [{ text: " on " }, { text: sensorLabel(sensors[0]!), isValue: true }] : [];
  return [{ text: `${made} came from one address, ` }, { text: visible(address), isValue: true }, ...where];
}

/** `683 of 839 logins (81.4 %)` */
function ofPeak({ count, total, activity }: PeakLeader): string {
  return `${formatNumber(count)} of ${formatNumber(total)} ${activity} (${formatShare(count / total)})`;
}

/** What single addresses of an episode made of its days' peaks. */
function peaksOf({ peaks = [], alike, first, last }: Episode, lead: EpisodeKey): SentencePart[] {
  return peaks.slice(0, TOLD_MOST).flatMap((peak, i): SentencePart[] => {
    const isLead = lead.values[0] === peak.address && (lead.family === "address" || lead.family === "user");
    const who: SentencePart = isLead ? { text: alike > 1 ? "it alone" : "it" } : { text: visible(peak.address), isValue: true };
    const day = first === last ? "" : ` of ${toDayLabel(peak.day)}`;
    // The second is of the same address on the same day, or it is said anew who and when.
    const isSame = i > 0 && peaks[i - 1]!.address === peak.address && peaks[i - 1]!.day === peak.day;
    return isSame ? [{ text: ` and ${ofPeak(peak)}` }] : [{ text: "; " }, who, { text: ` made ${ofPeak(peak)}${day}` }];
  });
}
