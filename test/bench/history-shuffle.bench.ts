/**
 * How often the history finds a change of level where there is none: in the days of real keys in any other order.
 *
 * Bursts are left out first, as they are bursts in any order. `bun test/bench/history-shuffle.bench.ts TABLE...`, each a
 * reduced table of at least a week; `--rounds N` shuffles (5).
 */
import { parseArgs } from "node:util";
import { PENALTY } from "../../lib/history/candidates.ts";
import { toHistorySource } from "../../lib/history/history-source.ts";
import { buildSeries, buildWatch, type DaySeries, type Watch } from "../../lib/history/day-series.ts";
import { FAMILIES, FAMILY_NAMES } from "../../lib/history/families.ts";
import { findShape } from "../../lib/history/levels.ts";
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

const { values, positionals } = parseArgs({ options: { rounds: { type: "string", default: "5" } }, allowPositionals: true });
const random = seededRandom("history shuffle");
for (const path of positionals) {
  const table = await readReduced(path, () => {});
  const watch = buildWatch(toHistorySource(table).connects, buildCoverage(table));
  let [keys, changed] = [0, 0];
  for (const family of FAMILY_NAMES) {
    const series = buildSeries(table, watch, addressesOf(table, FAMILIES[family].kind), family);
    for (let round = 0; round < Number(values.rounds); round++) {
      const mixed = shuffled(watch, series, random);
      keys += mixed.length;
      changed += shapesOf(mixed).filter(({ levels }) => levels.length > 1).length;
    }
  }
  console.log(`${path}: ${watch.days.length} days; ${changed} of ${keys} keys, ${((100 * changed) / Math.max(1, keys)).toFixed(2)} %`);
}
