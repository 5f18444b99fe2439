/**
 * The tasks that the history of a table in its file is dealt out in: reading it, and looking for spans in what was read.
 *
 * Tested in `test/lib/history/stored-episodes.test.ts`.
 */
import type { Kind } from "../reduced/kinds.ts";
import { RowGatherer } from "../reduced/gather-rows.ts";
import { type Given, lookUp, type StoredTasks } from "../reduced/stored-pool.ts";
import { spansOf, type Watches } from "./candidates.ts";
import type { Noise } from "./noise.ts";
import { leadersOfTable, type Peaks } from "./peaks.ts";
import { type OnSensor, tellSensorSpans } from "./sensor-levels.ts";
import type { Span } from "./spans.ts";
import { countDays } from "./stored-days.ts";
import { findLeadingKeys } from "./stored-leaders.ts";
import { readSpans } from "./stored-spans.ts";
import { daysOfIds } from "./watch-changes.ts";

/** Series of a family; `usual` is the correlation that is usual in it. */
export interface SeriesAsk {
  readonly watches: Given<Watches>;
  readonly usual: number;
  readonly noises: readonly Noise[];
  /** Of all series, one behind the other. */
  readonly counts: Float64Array;
}

export interface SensorsAsk {
  readonly watches: Given<Watches>;
  readonly usual: number;
  readonly keys: readonly { readonly fleet: readonly Span[]; readonly all: readonly OnSensor[] }[];
}

export const HISTORY_TASKS = {
  historyLeaders: (stored, { kind }: { readonly kind: Kind }) => findLeadingKeys(stored, kind),
  historyDays: countDays,
  historySpanRows: readSpans,
  historySpans(_, { watches, usual, noises, counts }: SeriesAsk) {
    const { watch } = lookUp(watches);
    const days = watch.days.length;
    return noises.map((noise, i) => spansOf(counts.subarray(i * days, (i + 1) * days), watch, noise, usual));
  },
  historySensorSpans(_, { watches, usual, keys }: SensorsAsk) {
    // What was counted is known to whoever asks.
    return keys.map(({ fleet, all }) => tellSensorSpans(all, fleet, { ...lookUp(watches), usual }).map(({ sensor, sensors, span }) => ({ sensor, sensors, span })));
  },
  historyIds: stored => daysOfIds(stored.parts("event"), stored.dictionaries),
  historyPeaks(stored, { peaks }: { readonly peaks: Peaks }) {
    const gatherer = new RowGatherer(true);
    const days = new Set(peaks.days.filter(({ activity }) => activity === "proxy requests").map(({ day }) => day));
    for (const day of [...days].sort((a, b) => a - b)) {
      for (const part of stored.parts("proxy_request", { first: day, last: day })) gatherer.add(part);
    }
    return leadersOfTable(gatherer.finish(stored), peaks);
  },
} as const satisfies StoredTasks;

export type HistoryTasks = typeof HISTORY_TASKS;
