/**
 * Does the test of change keep its word? Worlds in which it is known what changed, drawn from fixed seeds.
 *
 * Run: bun test/bench/statistics-simulation.bench.ts [runs]
 *
 * Rates are log-normal over keys and sensors; counts are Poisson (dispersion 1) or negative binomial (3, 8); sensors
 * are down on 4 % of their days. Beside it the ancestor's rule on the same counts: change of a day's value against the mean
 * of the days on which the key was present, the day itself included, reported from 20 % on. Writes Markdown tables.
 */
import { computeStatistics } from "../../lib/statistics/statistics.ts";
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import { seededRandom } from "../support/random.ts";
import { DAY_0, simulateWorld, type World } from "../support/simulate.ts";

const RUNS = Number(Bun.argv[2] ?? 20);
const SENSORS = 5;
const KEYS = 300;
const LAST_DAYS = 7;
const THRESHOLD = 0.2;
const PLANT_EVERY = 10;

/** The ancestor's verdicts on the last days: `key|sensor|day` of every row, and whether it is reported as risen. */
function ancestorRows(table: ReducedTable, days: number): Map<string, { isReported: boolean; isUp: boolean }> {
  const { rows, day, sensor, count, keys } = table.kinds.command;
  const sums = new Float64Array(SENSORS * KEYS);
  const present = new Float64Array(SENSORS * KEYS);
  const placeOf = (row: number) => sensor[row]! * KEYS + keys.input![row]!;
  for (let row = 0; row < rows; row++) {
    sums[placeOf(row)]! += count[row]!;
    present[placeOf(row)]!++;
  }
  const verdicts = new Map<string, { isReported: boolean; isUp: boolean }>();
  for (let row = 0; row < rows; row++) {
    const offset = day[row]! - DAY_0;
    if (offset < days - LAST_DAYS) continue;
    const mean = sums[placeOf(row)]! / present[placeOf(row)]!;
    const change = count[row]! / mean - 1;
    verdicts.set(`${keys.input![row]!}|${sensor[row]!}|${offset}`, {
      isReported: Math.abs(change) >= THRESHOLD,
      isUp: change >= THRESHOLD,
    });
  }
  return verdicts;
}

const percent = (part: number, whole: number, digits = 2) =>
  whole === 0 ? "-" : `${((100 * part) / whole).toFixed(digits)} %`;
const row = (...cells: (string | number)[]) => `| ${cells.join(" | ")} |`;
const keyOf = (input: unknown) => Number(String(input).replace(/\D/g, ""));
const sensorOf = (name: string) => Number(name.replace(/\D/g, ""));

const WORLDS: { name: string; days: number; dispersions: number[] }[] = [
  { name: "1", days: 45, dispersions: [1] },
  { name: "3", days: 45, dispersions: [3] },
  { name: "8", days: 45, dispersions: [8] },
  { name: "1, 3 and 8 mixed", days: 45, dispersions: [1, 3, 8] },
  { name: "1, 3 and 8 mixed, 12 days of baseline", days: 20, dispersions: [1, 3, 8] },
];
const worldOf = ({ days, dispersions }: (typeof WORLDS)[number]): World => ({
  sensors: SENSORS,
  days,
  keys: KEYS,
  dispersions,
  downShare: 0.04,
});

console.log(`${RUNS} runs each of ${SENSORS} sensors and ${KEYS} keys; bun ${Bun.version}\n`);
console.log("### Nothing changes: share of rows reported\n");
console.log(row("dispersion", "tests a run", "reported", "runs with any report", "ancestor's rule reports"));
console.log(row("---", "---:", "---:", "---:", "---:"));
for (const shape of WORLDS) {
  let tests = 0;
  let reported = 0;
  let runsWithAny = 0;
  let ancestorReported = 0;
  let ancestorTotal = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const { table } = simulateWorld(seededRandom(`nothing ${shape.name} ${seed}`), worldOf(shape));
    const found = computeStatistics(table, { lastDays: LAST_DAYS }).tests;
    tests += found.m;
    reported += found.reported;
    if (found.reported > 0) runsWithAny++;
    for (const { isReported } of ancestorRows(table, shape.days).values()) {
      ancestorTotal++;
      if (isReported) ancestorReported++;
    }
  }
  console.log(
    row(
      shape.name,
      Math.round(tests / RUNS),
      percent(reported, tests, 4),
      `${runsWithAny} of ${RUNS}`,
      percent(ancestorReported, ancestorTotal, 1),
    ),
  );
}

console.log("\n### Every tenth key changes on one day, on all sensors: found, by usual counts a day and sensor\n");
const ancestorHeads = ["ancestor: found", "ancestor: false among reported"];
console.log(row("dispersion", "change", "1 to 10", "10 to 100", "over 100", "false among reported", ...ancestorHeads));
console.log(row("---", "---:", "---:", "---:", "---:", "---:", "---:", "---:"));
for (const shape of WORLDS) {
  for (const times of [2, 4, 10]) {
    const planted = shape.days - 4;
    const isPlant = (key: number, day: number) => key % PLANT_EVERY === 0 && day === planted;
    const plant = (key: number, _sensor: number, day: number) => (isPlant(key, day) ? times : 1);
    const classes = [1, 10, 100].map(() => ({ planted: 0, found: 0 }));
    let reported = 0;
    let wrong = 0;
    const ancestor = { planted: 0, found: 0, reported: 0, wrong: 0 };
    for (let seed = 1; seed <= RUNS; seed++) {
      const world = { ...worldOf(shape), plant };
      const { table, rates } = simulateWorld(seededRandom(`planted ${shape.name} ${seed}`), world);
      const { changes } = computeStatistics(table, { lastDays: LAST_DAYS });
      const found = new Set<string>();
      for (const { kind, key, view, lastDay, sensor, count, expected } of changes) {
        if (kind !== "command") continue;
        reported++;
        const isPlanted = keyOf(key[0]) % PLANT_EVERY === 0 && count > expected;
        if (!isPlanted || (view === "day" && lastDay - DAY_0 !== planted)) wrong++;
        else if (view === "day" && sensor !== null) found.add(`${keyOf(key[0])}|${sensorOf(sensor)}|${planted}`);
      }
      const verdicts = ancestorRows(table, shape.days);
      for (const [at, { isReported, isUp }] of verdicts) {
        if (!isReported) continue;
        const [key, , day] = at.split("|").map(Number);
        ancestor.reported++;
        if (key! % PLANT_EVERY !== 0 || day !== planted || !isUp) ancestor.wrong++;
      }
      for (let key = 0; key < KEYS; key += PLANT_EVERY) {
        for (let sensor = 0; sensor < SENSORS; sensor++) {
          const rate = rates[sensor * KEYS + key]!;
          const at = `${key}|${sensor}|${planted}`;
          const verdict = verdicts.get(at);
          // Without any count the sensor was down that day, or nothing was there to be found.
          if (verdict === undefined || rate < 1) continue;
          const of = classes[rate < 10 ? 0 : rate < 100 ? 1 : 2]!;
          of.planted++;
          ancestor.planted++;
          if (found.has(at)) of.found++;
          if (verdict.isUp) ancestor.found++;
        }
      }
    }
    console.log(
      row(
        shape.name,
        `${times} times`,
        ...classes.map(of => percent(of.found, of.planted, 0)),
        percent(wrong, reported, 1),
        percent(ancestor.found, ancestor.planted, 0),
        percent(ancestor.wrong, ancestor.reported, 1),
      ),
    );
  }
}
