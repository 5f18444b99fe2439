/**
 * How often the history finds a change of level where there is none: in the days of real keys in any other order.
 *
 * Bursts are left out first, as they are bursts in any order. Where there are several sensors, also how often a key has a change
 * on one of them, its days there shuffled. `bun test/bench/history-shuffle.bench.ts TABLE...`, each a
 * reduced table of at least a week; `--rounds N` shuffles (5).
 */
import { parseArgs } from "node:util";
import { toHistorySource } from "../../lib/history/history-source.ts";
import { buildSeries, buildWatch, type DaySeries, type Watch } from "../../lib/history/day-series.ts";
import { FAMILIES, FAMILY_NAMES, type FamilySpec } from "../../lib/history/families.ts";
import { findShape, PENALTY } from "../../lib/history/levels.ts";
import { buildSensorWatches, countOnSensors, findOwnSpans } from "../../lib/history/sensor-levels.ts";
import { measureNoise, sizeOf, usualCorrelation } from "../../lib/history/noise.ts";
import { addressesOf } from "../../lib/reduced/addresses.ts";
import { readReduced } from "../../lib/reduced/reduced-input.ts";
import { buildCoverage } from "../../lib/statistics/coverage.ts";
import { type Random, seededRandom } from "../support/random.ts";

/** Fewer events, after bursts are out, are no series. */
const LEAST_COUNT = 8;

interface Series {
  readonly counts: number[];
  readonly exposure: number[];
}

/** Shapes of all keys of a family, by the noise that is usual in it. */
function shapesOf(all: readonly Series[]) {
  const noises = all.map(({ counts, exposure }) => measureNoise(counts, exposure));
  const usual = usualCorrelation(noises);
  return all.map(({ counts, exposure }, i) => {
    return findShape(counts, exposure, { size: sizeOf(noises[i]!, usual), penalty: PENALTY });
  });
}

function shuffled(watch: Watch, keys: readonly DaySeries[], random: Random): Series[] {
  const real = keys.map(({ counts }) => ({ counts: Array.from(counts), exposure: Array.from(watch.exposure) }));
  return shapesOf(real).flatMap(({ bursts }, i) => {
    const days = [...watch.days.keys()].filter(day => !bursts.some(({ start, end }) => day >= start && day < end));
    for (let k = days.length - 1; k > 0; k--) {
      const other = Math.floor(random.next() * (k + 1));
      [days[k], days[other]] = [days[other]!, days[k]!];
    }
    const { counts, exposure } = real[i]!;
    const series = { counts: days.map(day => counts[day]!), exposure: days.map(day => exposure[day]!) };
    return series.counts.reduce((sum, count) => sum + count, 0) < LEAST_COUNT ? [] : series;
  });
}

/** Whether a key has a change on one of its sensors, where its days there come in any order. */
function changesOnSensor(counts: readonly { sensor: number; counts: Float64Array }[], watches: readonly Watch[], usual: number, random: Random): boolean {
  return counts.some(({ sensor, counts: real }) => {
    const { exposure } = watches[sensor]!;
    const order = [...real.keys()];
    for (let k = order.length - 1; k > 0; k--) {
      const other = random.int(k + 1);
      [order[k], order[other]] = [order[other]!, order[k]!];
    }
    const [mixed, mixedExposure] = [real, exposure].map(list => Float64Array.from(order, day => list[day]!)) as [Float64Array, Float64Array];
    return findOwnSpans(mixed, mixedExposure, { usual, series: counts.length }).length > 0;
  });
}

const { values, positionals } = parseArgs({ options: { rounds: { type: "string", default: "5" } }, allowPositionals: true });
const random = seededRandom("history shuffle");
for (const path of positionals) {
  const table = await readReduced(path, () => {});
  const coverage = buildCoverage(table);
  const watch = buildWatch(toHistorySource(table).connects, coverage);
  const watches = coverage.sensors.length > 1 ? buildSensorWatches(coverage) : [];
  const [fleet, sensors] = [{ keys: 0, changed: 0 }, { keys: 0, changed: 0 }];
  for (const family of FAMILY_NAMES) {
    const { kind, isAddress }: FamilySpec = FAMILIES[family];
    const known = addressesOf(table, kind);
    const series = buildSeries(table, watch, known, family);
    const usual = usualCorrelation(series.map(({ counts }) => measureNoise(counts, watch.exposure)));
    const look = { own: table.kinds[kind], watch, watches, addresses: isAddress ? undefined : known, usual };
    const onSensors = watches.length > 0 ? series.map(one => countOnSensors(one, look)).filter(({ length }) => length > 0) : [];
    for (let round = 0; round < Number(values.rounds); round++) {
      const mixed = shuffled(watch, series, random);
      fleet.keys += mixed.length;
      fleet.changed += shapesOf(mixed).filter(({ levels }) => levels.length > 1).length;
      sensors.keys += onSensors.length;
      sensors.changed += onSensors.filter(counts => changesOnSensor(counts, watches, usual, random)).length;
    }
  }
  const told = ({ keys, changed }: typeof fleet) => `${changed} of ${keys} keys, ${((100 * changed) / Math.max(1, keys)).toFixed(2)} %`;
  console.log(`${path}: ${watch.days.length} days; ${told(fleet)}${watches.length > 0 ? `; on a sensor ${told(sensors)}` : ""}`);
}
