/** Counts of a world in which it is known what changed: the judge of the statistics. */
import { SetDictionary } from "../../lib/columns/address-sets.ts";
import { KIND_NAMES, KINDS, type Kind, TEXT_KEYS, type TextKey } from "../../lib/reduced/kinds.ts";
import { type KindTable, type ReducedTable, unknownAddresses } from "../../lib/reduced/reduced-table.ts";
import { NO_INFO } from "./build.ts";
import type { Random } from "./random.ts";

export const DAY_0 = 19_800;

/** Poisson number: multiplication for small means, Hörmann's transformed rejection (PTRS, 1993) for others. */
export function poisson(random: Random, mean: number): number {
  if (mean <= 0) return 0;
  if (mean < 12) {
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = random.next(); product > limit; product *= random.next()) count++;
    return count;
  }
  const b = 0.931 + 2.53 * Math.sqrt(mean);
  const a = -0.059 + 0.02483 * b;
  const alpha = 1.1239 + 1.1328 / (b - 3.4);
  const scale = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = random.next() - 0.5;
    const v = random.next();
    const us = 0.5 - Math.abs(u);
    const count = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= scale) return count;
    if (count < 0 || (us < 0.013 && v > us)) continue;
    const left = Math.log((v * alpha) / (a / (us * us) + b));
    if (left <= count * Math.log(mean) - mean - logFactorial(count)) return count;
  }
}

function logFactorial(n: number): number {
  if (n < 20) {
    let sum = 0;
    for (let i = 2; i <= n; i++) sum += Math.log(i);
    return sum;
  }
  return (n + 0.5) * Math.log(n) - n + 0.9189385332046727 + 1 / (12 * n) - 1 / (360 * n ** 3);
}

/** Gamma number with mean `shape` (Marsaglia and Tsang, 2000). */
export function gamma(random: Random, shape: number): number {
  if (shape < 1) return gamma(random, shape + 1) * (1 - random.next()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Count with this mean and variance `dispersion * mean`: negative binomial, Poisson at a dispersion of 1. */
export function overdispersed(random: Random, mean: number, dispersion: number): number {
  if (dispersion <= 1) return poisson(random, mean);
  const shape = mean / (dispersion - 1);
  return poisson(random, gamma(random, shape) * (dispersion - 1));
}

export interface World {
  sensors: number;
  days: number;
  /** Commands; rates differ by key (log-normal) and by sensor. */
  keys: number;
  /** Dispersion of key k: `dispersions[k % length]`. */
  dispersions: readonly number[];
  medianRate?: number;
  /** Chance that a sensor-day is down. */
  downShare?: number;
  /** Multiplier of key k on a sensor and day; 1 = nothing changes. */
  plant?: (key: number, sensor: number, day: number) => number;
  /** Down beside those that chance takes. */
  isDown?: (sensor: number, day: number) => boolean;
  /**
   * Draw who is behind the counts, too: all over-dispersion is one source that repeats, so the number of sources is Poisson.
   * A negative binomial count is the sum over them, each with a logarithmic number of events.
   */
  hasSources?: boolean;
}

export interface SimulatedWorld {
  table: ReducedTable;
  /** `rates[sensor * keys + key]`, per day. */
  rates: Float64Array;
}

/** Number from the logarithmic distribution with the share `s` of its series (Kemp 1981, by inversion). */
function logarithmic(random: Random, s: number): number {
  let chance = -s / Math.log1p(-s);
  let left = random.next();
  let count = 1;
  for (; left > chance && count < 1e4; count++) {
    left -= chance;
    chance *= (s * count) / (count + 1);
  }
  return count;
}

/** Sources, and the events that they send. */
function drawSources(random: Random, mean: number, dispersion: number): { sources: number; count: number } {
  if (dispersion <= 1) {
    const count = poisson(random, mean);
    return { sources: count, count };
  }
  const sources = poisson(random, (mean * Math.log(dispersion)) / (dispersion - 1));
  let count = 0;
  for (let i = 0; i < sources; i++) count += logarithmic(random, 1 - 1 / dispersion);
  return { sources, count };
}

/** Draw a world; the same stream gives the same counts, planted changes aside. */
export function simulateWorld(random: Random, world: World): SimulatedWorld {
  const { sensors, days, keys } = world;
  const rates = new Float64Array(sensors * keys);
  for (let key = 0; key < keys; key++) {
    const rate = random.logNormal(world.medianRate ?? 3, 1.6);
    for (let sensor = 0; sensor < sensors; sensor++) rates[sensor * keys + key] = random.logNormal(rate, 0.5);
  }
  const commands: number[][] = [];
  const events: number[][] = [];
  const sets = new SetDictionary();
  const behind: number[] = [];
  for (let day = 0; day < days; day++) {
    for (let sensor = 0; sensor < sensors; sensor++) {
      const isDown = random.chance(world.downShare ?? 0) && day > 0 && day < days - 1;
      if (isDown || world.isDown?.(sensor, day) === true) continue;
      for (let hour = 0; hour < 24; hour++) events.push([day, sensor, hour, 40 + random.int(20)]);
      for (let key = 0; key < keys; key++) {
        const times = world.plant?.(key, sensor, day) ?? 1;
        const dispersion = world.dispersions[key % world.dispersions.length]!;
        const mean = rates[sensor * keys + key]! * times;
        const { sources, count } =
          world.hasSources === true
            ? drawSources(random, mean, dispersion)
            : { sources: 0, count: overdispersed(random, mean, dispersion) };
        if (count === 0) continue;
        commands.push([day, sensor, key, count]);
        if (sources > 0) behind.push(sets.internAny(Uint32Array.from({ length: sources }, () => random.word())));
      }
    }
  }
  const width = String(Math.max(keys, sensors)).length;
  const name = (prefix: string, n: number) => prefix + String(n).padStart(width, "0");
  const input = Array.from({ length: keys }, (_, key) => name("command ", key));
  const sensor = Array.from({ length: sensors }, (_, s) => name("sensor ", s));
  const dictionaries = Object.fromEntries(TEXT_KEYS.map(key => [key, [] as string[]])) as Record<TextKey, string[]>;
  const kinds = Object.fromEntries(KIND_NAMES.map(kind => [kind, toKind(kind, [], [])])) as Record<Kind, KindTable>;
  kinds.command = toKind("command", commands, ["input"], behind);
  const hourly = events.map(([day, s, hour, count]) => [day!, s!, 0, hour!, count!]);
  const one = world.hasSources === true ? sets.internAny(Uint32Array.of(1)) : -1;
  kinds.event = toKind("event", hourly, ["eventid", "hour"], hourly.map(() => one));
  return {
    table: {
      info: NO_INFO,
      dictionaries: { ...dictionaries, input, eventid: ["cowrie.session.connect"], sensor },
      sets,
      kinds,
    },
    rates,
  };
}

/** @param sets Of each row, where they are known. */
function toKind(kind: Kind, rows: readonly (readonly number[])[], columns: readonly string[], sets: readonly number[] = []): KindTable {
  const names: readonly string[] = KINDS[kind];
  const keys = names.map(name => [name, Int32Array.from(rows, row => row[2 + columns.indexOf(name)]!)]);
  const noon = Float64Array.from(rows, row => (DAY_0 + row[0]! + 0.5) * 86_400_000_000);
  return {
    kind,
    rows: rows.length,
    day: Int32Array.from(rows, row => DAY_0 + row[0]!),
    sensor: Int32Array.from(rows, row => row[1]!),
    keys: Object.fromEntries(keys) as KindTable["keys"],
    count: Float64Array.from(rows, row => row.at(-1)!),
    success: new Float64Array(rows.length),
    addresses: sets.length === rows.length && rows.length > 0 ? Int32Array.from(sets) : unknownAddresses(kind, rows.length),
    firstSeenUs: noon,
    lastSeenUs: noon,
  };
}
