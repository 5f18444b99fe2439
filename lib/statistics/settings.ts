/** How the statistics are worked out: what may be chosen, what holds where nothing was, and what cannot be used. */
import type { Downtime } from "./downtime.ts";
import type { PartlyCut } from "../reduced/drawn-table.ts";
import { COMPARED_KINDS } from "../reduced/kinds.ts";
import { type ComparableKind, ORIGIN_KINDS } from "../reduced/origin-kinds.ts";

export interface StatisticsOptions {
  /** How many of the archive's last days are in question. */
  lastDays?: number;
  /** Smallest change reported, percent. */
  thresholdPercent?: number;
  /** Observed days in a baseline, calendar days left out before the day, fewest observed days that make a baseline. */
  baselineDays?: number;
  guardDays?: number;
  minBaselineDays?: number;
  /** False-discovery rate. */
  q?: number;
  /** Benjamini-Yekutieli in place of Benjamini-Hochberg: holds under any dependence, and finds less. */
  strict?: boolean;
  quietDays?: "unknown" | "zero";
  downtime?: readonly Downtime[];
  /** Of a drawn table, see `drawTable`. */
  partlyCut?: PartlyCut;
  returningAfterDays?: number;
  burnInDays?: number;
  /** First day of "what is new since"; default: the first of the last days. */
  newSinceDay?: number;
  /** Most entries of a list of values, per type; 0 = all. */
  listLimit?: number;
  /** Kinds whose keys are compared; what is new is looked for in whatever rows the table has. */
  kinds?: readonly ComparableKind[];
  /** `all` keeps every tested comparison in `changes`, not only the reported. */
  rows?: "reported" | "all";
}

/** Every option that has a default. */
export type StatisticsSettings = Required<Omit<StatisticsOptions, "downtime" | "partlyCut" | "newSinceDay">>;

export const STATISTICS_DEFAULTS = {
  lastDays: 7,
  thresholdPercent: 20,
  baselineDays: 28,
  guardDays: 1,
  minBaselineDays: 7,
  q: 0.05,
  strict: false,
  quietDays: "unknown",
  returningAfterDays: 30,
  burnInDays: 14,
  listLimit: 1000,
  kinds: [...COMPARED_KINDS, ...ORIGIN_KINDS],
  rows: "reported",
} as const satisfies StatisticsSettings;

/**
 * What was set, and defaults for the rest; whatever else a caller's object holds is none of ours.
 *
 * @throws {RangeError} if an option is out of range.
 */
export function toSettings(options: StatisticsOptions): StatisticsSettings {
  const isSet = ([name, value]: [string, unknown]) => name in STATISTICS_DEFAULTS && value !== undefined;
  const settings = { ...STATISTICS_DEFAULTS, ...Object.fromEntries(Object.entries(options).filter(isSet)) };
  checkSettings(settings);
  return settings;
}

function checkSettings(settings: StatisticsSettings): void {
  const least = [
    ["lastDays", 1],
    ["baselineDays", 2],
    ["guardDays", 0],
    ["minBaselineDays", 2],
    ["returningAfterDays", 1],
    ["burnInDays", 0],
    ["listLimit", 0],
  ] as const;
  for (const [name, min] of least) {
    if (!Number.isSafeInteger(settings[name]) || settings[name] < min) {
      throw new RangeError(`Cannot use ${name} ${settings[name]}: expected a whole number >= ${min}`);
    }
  }
  if (settings.minBaselineDays > settings.baselineDays) {
    throw new RangeError(
      `Cannot use minBaselineDays ${settings.minBaselineDays}: expected at most baselineDays ${settings.baselineDays}`,
    );
  }
  if (!(settings.q > 0 && settings.q < 1)) throw new RangeError(`Cannot use q ${settings.q}: expected 0 < q < 1`);
  if (!(settings.thresholdPercent >= 0)) {
    throw new RangeError(`Cannot use thresholdPercent ${settings.thresholdPercent}: expected a number >= 0`);
  }
}
