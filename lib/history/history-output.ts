/** Episodes for terminals, programs and spreadsheets. Tested in `test/lib/history/episodes.test.ts`. */
import { toCsvLine } from "../text/csv.ts";
import { formatNumber, plural, toIsoDay } from "../text/format.ts";
import { describeEpisode, toPlainSentence } from "./episode-words.ts";
import { LEAST_DAYS } from "./families.ts";
import type { Coverage } from "../statistics/coverage.ts";
import type { Episode } from "./episodes.ts";

/** Keys of one family that the CSV has columns for. */
const CSV_COLUMNS = [
  "shape",
  "first_day",
  "last_day",
  "begins",
  "ends",
  "basis",
  "sensors",
  "addresses",
  "events",
  "kind",
  "key1",
  "key2",
  "keys",
  "score",
  "sentence",
] as const;

/** Episodes that touch a range of days; an open end is the archive's. */
export function episodesWithin(episodes: readonly Episode[], since = -Infinity, until = Infinity): Episode[] {
  return episodes.filter(({ first, last }) => last >= since && first <= until);
}

/** The first `limit` by score, of attackers and of the sensors each; newest first. 0 = all. */
export function chooseEpisodes(episodes: readonly Episode[], limit: number): Episode[] {
  const most = limit === 0 ? Infinity : limit;
  const ofSensors = episodes.filter(({ watch }) => watch !== undefined);
  const ofAttackers = episodes.filter(({ watch }) => watch === undefined);
  const chosen = [...ofAttackers.slice(0, most), ...newestFirst(ofSensors).slice(0, most)];
  return newestFirst(chosen);
}

/** By the day on which something turned: the last of what ended, the first of all else. */
export function newestFirst(episodes: readonly Episode[]): Episode[] {
  return episodes.toSorted((a, b) => turnOf(b) - turnOf(a) || b.score - a.score);
}

function turnOf({ shape, first, last }: Episode): number {
  return shape === "ended" ? last : first;
}

/** Why nothing can be told of an archive; undefined where something could. */
export function whyNoHistory({ sensors, days, exposure }: Coverage): string | undefined {
  if (!exposure.some(share => share > 0)) return "the counts were cut to the most frequent of each day";
  const watched = Array.from({ length: days }, (_, day) => sensors.some((_, sensor) => exposure[sensor * days + day]! > 0));
  return watched.filter(Boolean).length < LEAST_DAYS ? `fewer than ${LEAST_DAYS} days were watched` : undefined;
}

/**
 * One line an episode, newest first.
 *
 * @param why See {@link whyNoHistory}.
 */
export function historyToText(shown: readonly Episode[], why?: string): string {
  if (shown.length === 0) return why === undefined ? "Nothing happened that stands out\n" : `Nothing can be told: ${why}\n`;
  return shown.map(episode => `${toPlainSentence(describeEpisode(episode))}${episode.watch ? "" : ` (${basisOf(episode)})`}\n`).join("");
}

/** What an episode rests on: a test that a level holds, or a count of days that stand out. */
export function basisOf({ isTested }: Episode): "tested" | "counted" {
  return isTested ? "tested" : "counted";
}

/** Plain data for other programs: snake_case keys, days as `YYYY-MM-DD`; null = not known, or not within the archive. */
export function episodeToPlain(episode: Episode): Record<string, unknown> {
  const { shape, first, last, begins, ends, sensors, sensorsWatching, isLocal = false, sources, events, keys, watch, peaks = [], score } = episode;
  return {
    shape,
    first_day: toIsoDay(first),
    last_day: toIsoDay(last),
    begins,
    ends,
    basis: basisOf(episode),
    sensors,
    sensors_watching: sensorsWatching,
    only_there: isLocal,
    addresses: sources ?? null,
    events,
    ...(watch && { hours: watch.hours, event_ids: watch.eventids, gone_event_ids: watch.goneEventids }),
    keys: keys.map(key => ({
      kind: key.family,
      values: key.values,
      events: key.events,
      share: key.share,
      addresses: key.sources ?? null,
      before: key.before,
      level: key.level,
      after: key.after,
    })),
    peaks: peaks.map(({ day, ...peak }) => ({ day: toIsoDay(day), ...peak })),
    score,
    sentence: toPlainSentence(describeEpisode(episode)),
  };
}

/** One line an episode. */
export function* historyToCsv(shown: readonly Episode[]): Generator<string> {
  yield toCsvLine(CSV_COLUMNS);
  for (const episode of shown) {
    const { shape, first, last, begins, ends, sensors, sources, events, keys, score } = episode;
    const [lead] = keys;
    yield toCsvLine([
      shape,
      toIsoDay(first),
      toIsoDay(last),
      begins,
      ends,
      basisOf(episode),
      sensors.join(" "),
      sources,
      events,
      lead?.family,
      lead?.values[0],
      lead?.values[1],
      keys.length,
      Math.round(score),
      toPlainSentence(describeEpisode(episode)),
    ]);
  }
}

/** How many of how many are shown, for stderr. */
export function describeHistory(all: readonly Episode[], shown: readonly Episode[]): string {
  const number = shown.length < all.length ? `${formatNumber(shown.length)} of ` : "";
  return `${number}${plural(all.length, "episode")}`;
}
