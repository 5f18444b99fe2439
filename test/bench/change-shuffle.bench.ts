/**
 * How often the test of change finds something where nothing changed: in the days of real keys in any other order.
 *
 * Run: bun test/bench/change-shuffle.bench.ts FILE... [--rounds N] [--leave-out DAY,DAY] [--last-days N]
 *
 * Each is a reduced table of two weeks at least, or a CSV of counts (`key,t,n`: the n of a key on day t, from 1 on). The days of a key are put into another order on each sensor, each key's by
 * itself, so whatever is found is chance; days that are known to be changes are left out. Days that were watched in part count
 * as whole ones. Told is how many times as often as it should a p of 0.01, 0.001 and 0.0001 came, by unit, view and kind.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { readReduced } from "../../lib/reduced/reduced-input.ts";
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import { buildWindows } from "../../lib/statistics/baseline.ts";
import { compareKeys, measureDispersions } from "../../lib/statistics/comparisons.ts";
import { type Coverage, isUsable, UNKNOWN } from "../../lib/statistics/coverage.ts";
import { learnOwn, learnPooled } from "../../lib/statistics/dispersion.ts";
import type { KeyedRows, Unit } from "../../lib/statistics/keyed-rows.ts";
import { FLEET } from "../../lib/statistics/local-windows.ts";
import { planStatistics } from "../../lib/statistics/statistics.ts";
import type { StatisticsOptions } from "../../lib/statistics/settings.ts";
import { workOut } from "../../lib/statistics/statistics-parts.ts";
import { DAY_US } from "../../lib/text/time.ts";
import { buildReduced } from "../support/build.ts";
import { command, watch } from "../support/days.ts";
import { type Random, seededRandom } from "../support/random.ts";

const ALPHAS = [0.01, 0.001, 0.0001];

/** Counts of one key on one sensor, by place among the sensor's usable days. */
interface Series {
  readonly key: number;
  readonly sensor: number;
  readonly places: readonly number[];
  readonly counts: readonly number[];
}

/** Days that were watched in part are none here: only whole ones are as likely in any order. */
function wholeDays(coverage: Coverage): Coverage {
  const exposure = coverage.exposure.map(share => (share > 0.99 ? 1 : 0));
  return { ...coverage, exposure, status: coverage.status.map((status, cell) => (exposure[cell] === 1 ? status : UNKNOWN)) };
}

function usableDays({ sensors, days, ...rest }: Coverage): number[][] {
  const coverage = { sensors, days, ...rest };
  return sensors.map((_, sensor) =>
    Array.from({ length: days }, (__, offset) => offset).filter(offset => isUsable(coverage, sensor * days + offset)),
  );
}

function toSeries({ rows, day, sensor, key, keys, count }: KeyedRows, { firstDay, sensors }: Coverage, usable: readonly number[][]): Series[] {
  const placeOf = usable.map(offsets => new Map(offsets.map((offset, place) => [offset, place])));
  const found = new Map<number, Map<number, number>>();
  for (let row = 0; row < rows; row++) {
    const place = placeOf[sensor[row]!]!.get(day[row]! - firstDay);
    if (place === undefined) continue;
    const at = sensor[row]! * keys + key[row]!;
    const counts = found.get(at) ?? new Map<number, number>();
    found.set(at, counts);
    counts.set(place, (counts.get(place) ?? 0) + count[row]!);
  }
  return [...found].map(([at, counts]) => ({ key: at % keys, sensor: Math.floor(at / keys), places: [...counts.keys()], counts: [...counts.values()] }))
    .filter(({ sensor }) => sensor < sensors.length);
}

/** The same counts on other days. */
function shuffle(of: KeyedRows, all: readonly Series[], { firstDay }: Coverage, usable: readonly number[][], random: Random): KeyedRows {
  const cells: { day: number; sensor: number; key: number; count: number }[] = [];
  for (const { key, sensor, counts } of all) {
    const offsets = [...usable[sensor]!];
    counts.forEach((count, i) => {
      const other = i + random.int(offsets.length - i);
      [offsets[i], offsets[other]] = [offsets[other]!, offsets[i]!];
      cells.push({ day: firstDay + offsets[i]!, sensor, key, count });
    });
  }
  cells.sort((a, b) => a.day - b.day || a.sensor - b.sensor);
  const { fleet: _, events: __, ...rest } = of;
  return {
    ...rest,
    rows: cells.length,
    day: Int32Array.from(cells, ({ day }) => day),
    sensor: Int32Array.from(cells, ({ sensor }) => sensor),
    key: Int32Array.from(cells, ({ key }) => key),
    count: Float64Array.from(cells, ({ count }) => count),
  };
}

/** What is compared of a table, as `computeStatistics` does up to the first comparison. */
function readKinds(table: ReducedTable, options: StatisticsOptions) {
  const { context, steps } = planStatistics(table, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return { context, kinds: [] };
    if (step.value[0]?.name === "examined") return { context, kinds: step.value.map(({ ask }) => (ask as { readonly rows: KeyedRows }).rows) };
    for (const call of step.value) call.settle(workOut(context, call.name, call.ask));
  }
}

/** Tests, and those of them with a p of each of {@link ALPHAS} at most. */
class Tally {
  readonly #of = new Map<string, { tests: number; passed: number[] }>();

  add(name: string, p: number): void {
    const own = this.#of.get(name) ?? { tests: 0, passed: ALPHAS.map(() => 0) };
    this.#of.set(name, own);
    own.tests++;
    ALPHAS.forEach((alpha, i) => (own.passed[i]! += p <= alpha ? 1 : 0));
  }

  print(rounds: number): void {
    for (const [name, { tests, passed }] of [...this.#of].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const times = ALPHAS.map((alpha, i) => (passed[i]! / tests / alpha).toFixed(1));
      console.log(`| ${name} | ${Math.round(tests / rounds)} | ${times.join(" | ")} |`);
    }
  }
}

/** Counts of one sensor that was always watched, as a table. */
function readCounts(path: string): ReducedTable {
  const counts = new Map<string, number[]>();
  for (const line of readFileSync(path, "utf8").trim().split("\n").slice(1)) {
    const [key, t, n] = line.split(",");
    const own = counts.get(key!) ?? [];
    counts.set(key!, own);
    own[Number(t) - 1] = Number(n);
  }
  const days = Math.max(...[...counts.values()].map(({ length }) => length));
  return buildReduced([...watch("sensor", days), ...[...counts].flatMap(([key, of]) => command("sensor", key, Array.from(of, n => n ?? 0)))]);
}

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    "leave-out": { type: "string", default: "" },
    "last-days": { type: "string", default: "7" },
  },
  allowPositionals: true,
});
const rounds = Number(values.rounds);
const random = seededRandom("change shuffle");
const downtime = values["leave-out"].split(",").filter(Boolean).map(text => {
  const fromUs = Date.parse(text) * 1000;
  return { sensor: "*", fromUs, toUs: fromUs + DAY_US };
});
for (const path of positionals) {
  const isCounts = path.endsWith(".csv");
  const table = isCounts ? readCounts(path) : await readReduced(path, () => {});
  const options = { downtime, lastDays: Number(values["last-days"]), ...(isCounts && { kinds: ["command" as const] }) };
  const { context, kinds } = readKinds(table, options);
  const coverage = wholeDays(context.coverage);
  const usable = usableDays(coverage);
  const windows = buildWindows(coverage, context.settings);
  const all = kinds.map(kind => toSeries(kind, coverage, usable));
  const tally = new Tally();
  for (let round = 0; round < rounds; round++) {
    const mixed = kinds.map((kind, i) => shuffle(kind, all[i]!, coverage, usable, random));
    const samples = mixed.map(kind => measureDispersions(kind, coverage, windows));
    const pooled = new Map<Unit, ReturnType<typeof learnPooled>>();
    for (const unit of ["events", "sources"] as const) pooled.set(unit, learnPooled(samples.filter((_, i) => mixed[i]!.unit === unit)));
    mixed.forEach((kind, i) => {
      const usual = { own: learnOwn(samples[i]!, pooled.get(kind.unit)!), pooled: pooled.get(kind.unit)! };
      const { kept } = compareKeys(kind, coverage, windows, usual, 1);
      for (let at = 0; at < kept.length; at++) {
        const view = kept.slot[at] === windows.slots - 1 ? "period" : "day";
        const scope = kept.sensor[at] === FLEET ? ", fleet" : "";
        tally.add(`${kind.unit}, ${view}${scope}: all`, kept.p[at]!);
        tally.add(`${kind.unit}, ${view}${scope}: ${kind.kind}`, kept.p[at]!);
      }
    });
  }
  const days = usable.map(({ length }) => length);
  console.log(`\n### ${path}: ${Math.max(...days)} days, ${days.length} sensors, ${rounds} rounds\n`);
  console.log(`| what | tests a round | ${ALPHAS.map(alpha => `p ≤ ${alpha}`).join(" | ")} |\n| --- | --: | ${ALPHAS.map(() => "--:").join(" | ")} |`);
  tally.print(rounds);
}
