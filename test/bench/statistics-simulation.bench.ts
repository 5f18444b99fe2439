/**
 * Does the test of change keep its word, and what does it find? Worlds in which it is known what changed, drawn from fixed seeds.
 *
 * Run: bun test/bench/statistics-simulation.bench.ts [runs]
 *
 * Rates are log-normal over keys and sensors; counts are Poisson or negative binomial (dispersions 1, 3 and 8 mixed); sensors
 * are down on 4 % of their days. Every tenth key changes. First at the rule's own operating point, then each rule at the
 * threshold at which one key-day in a thousand that did not change passes it, so that rules without a p can be held against
 * it. Beside them the ancestor's rule: change of a day's value against the mean of the days on which the key was present.
 */
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import type { ChangeRow } from "../../lib/statistics/change.ts";
import type { Unit } from "../../lib/statistics/keyed-rows.ts";
import type { StatisticsOptions } from "../../lib/statistics/settings.ts";
import { computeStatistics } from "../../lib/statistics/statistics.ts";
import { hashNumbers, seededRandom } from "../support/random.ts";
import { DAY_0, simulateWorld, type SimulatedWorld, type World } from "../support/simulate.ts";
import { cusum, earsC2, farrington, type Rule } from "./change-rivals.ts";

const RUNS = Number(Bun.argv[2] ?? 20);
const SENSORS = 5;
const KEYS = 300;
const DAYS = 45;
const LAST_DAYS = 7;
/** What changes changes on this day, or from it on. */
const PLANTED = DAYS - 4;
const PLANT_EVERY = 10;
const FALSE_SHARE = 0.001;

type Plant = NonNullable<World["plant"]>;
const isPlanted = (key: number) => key < KEYS && key % PLANT_EVERY === 0;
const once = (times: number): Plant => (key, _, day) => (isPlanted(key) && day === PLANTED ? times : 1);
const oneSensor = (times: number): Plant => (key, sensor, day) => (isPlanted(key) && day === PLANTED && sensor === (key / PLANT_EVERY) % SENSORS ? times : 1);
const and = (...plants: Plant[]): Plant => (key, sensor, day) => plants.reduce((times, plant) => times * plant(key, sensor, day), 1);

const isBurst = (key: number, day: number) => hashNumbers(key, day) % 100 === 0 && !isPlanted(key);

/** What makes a world harder, whatever changes in it. */
const HARDER: { name: string; plant?: Plant; more?: Partial<World>; isChange?: (key: number, day: number) => boolean }[] = [
  { name: "as above" },
  // As many keys again each day as there are keys, most of them of one day.
  {
    name: "keys of one day, 20 new ones daily",
    more: { keys: KEYS + 20 * DAYS },
    plant: (key, _, day) => (key >= KEYS && Math.floor((key - KEYS) / 20) !== day ? 0 : 1),
  },
  { name: "an old burst of 15 times in every key that changes", plant: (key, _, day) => (isPlanted(key) && day === PLANTED - 15 ? 15 : 1) },
  { name: "a sensor that grows by 2 % a day", plant: (_, sensor, day) => (sensor === 0 ? 1.02 ** day : 1) },
  { name: "half as much on two days a week", plant: (_, __, day) => (day % 7 < 2 ? 0.5 : 1) },
  {
    name: "bursts of 8 times, shared by all sensors, on 1 % of key-days",
    plant: (key, _, day) => (isBurst(key, day) ? 8 : 1),
    // Changes themselves: neither planted nor false.
    isChange: isBurst,
  },
  { name: "two sensors down for 14 days", more: { isDown: (sensor, day) => sensor < 2 && day >= 22 && day < 36 } },
];

function draw(name: string, seed: number, plant: Plant, more: Partial<World> = {}): SimulatedWorld {
  const world = { sensors: SENSORS, days: DAYS, keys: KEYS, dispersions: [1, 3, 8], downShare: 0.04, plant, ...more };
  return simulateWorld(seededRandom(`${name} ${seed}`), world);
}

const changesOf = (table: ReducedTable, options: StatisticsOptions = {}): ChangeRow[] =>
  computeStatistics(table, { lastDays: LAST_DAYS, ...options }).changes.filter(({ kind }) => kind === "command");
const keyOf = (row: Pick<ChangeRow, "key">) => Number(String(row.key[0]).replace(/\D/g, ""));
const sensorOf = (name: string) => Number(name.replace(/\D/g, ""));
const isTrue = (row: ChangeRow) =>
  isPlanted(keyOf(row)) && row.count > row.expected && (row.view === "period" || row.lastDay - DAY_0 === PLANTED);

const percent = (part: number, whole: number, digits = 0) => (whole === 0 ? "-" : ((100 * part) / whole).toFixed(digits));
const line = (...cells: (string | number)[]) => console.log(`| ${cells.join(" | ")} |`);
const head = (first: string, ...names: string[]) => {
  line(first, ...names);
  line("---", ...names.map(() => "--:"));
};
const classOf = (rate: number) => (rate < 1 ? undefined : rate < 10 ? 0 : rate < 100 ? 1 : 2);

/** Found among planted, by usual counts a day. */
class Power {
  readonly #found = [0, 0, 0];
  readonly #planted = [0, 0, 0];

  add(rate: number, isFound: boolean): void {
    const at = classOf(rate);
    if (at === undefined) return;
    this.#planted[at]!++;
    if (isFound) this.#found[at]!++;
  }

  toString(): string {
    return this.#found.map((found, i) => percent(found, this.#planted[i]!)).join(" / ");
  }
}

/** Power and false share of reported rows, at the rule's own operating point. */
class Verdicts {
  readonly ofSensors = new Power();
  readonly ofAny = new Power();
  reported = 0;
  wrong = 0;

  /** @param isChange What changes beside what was planted. */
  add({ table, rates }: SimulatedWorld, changes: readonly ChangeRow[], plant: Plant, isChange = (_key: number, _day: number) => false): void {
    const onSensor = new Set<string>();
    const anywhere = new Set<number>();
    for (const row of changes) {
      const days = Array.from({ length: row.lastDay - row.firstDay + 1 }, (_, i) => row.firstDay - DAY_0 + i);
      if (days.some(day => isChange(keyOf(row), day))) continue;
      this.reported++;
      if (!isTrue(row)) this.wrong++;
      else if (row.view === "day") {
        anywhere.add(keyOf(row));
        if (row.sensor !== null) onSensor.add(`${keyOf(row)} ${sensorOf(row.sensor)}`);
      }
    }
    const seen = new Set<string>();
    const { rows, day, sensor, keys } = table.kinds.command;
    for (let row = 0; row < rows; row++) {
      if (day[row]! - DAY_0 === PLANTED) seen.add(`${keys.input![row]!} ${sensor[row]!}`);
    }
    for (let key = 0; key < KEYS; key += PLANT_EVERY) {
      let [sum, changed] = [0, 0];
      for (let s = 0; s < SENSORS; s++) {
        const rate = rates[s * table.dictionaries.input.length + key]!;
        // Without any count the sensor was down that day, or nothing was there to be found.
        if (!seen.has(`${key} ${s}`) || plant(key, s, PLANTED) === 1) continue;
        this.ofSensors.add(rate, onSensor.has(`${key} ${s}`));
        sum += rate;
        changed++;
      }
      if (changed > 0) this.ofAny.add(sum / changed, anywhere.has(key));
    }
  }
}

function ancestor({ table }: SimulatedWorld): { reported: number; wrong: number; rows: number; found: Power } {
  const { rows, day, sensor, count, keys } = table.kinds.command;
  const places = table.dictionaries.input.length;
  const sums = new Float64Array(SENSORS * places);
  const present = new Float64Array(SENSORS * places);
  for (let row = 0; row < rows; row++) {
    sums[sensor[row]! * places + keys.input![row]!]! += count[row]!;
    present[sensor[row]! * places + keys.input![row]!]!++;
  }
  const found = { reported: 0, wrong: 0, rows: 0, found: new Power() };
  for (let row = 0; row < rows; row++) {
    const offset = day[row]! - DAY_0;
    if (offset < DAYS - LAST_DAYS) continue;
    const at = sensor[row]! * places + keys.input![row]!;
    const change = count[row]! / (sums[at]! / present[at]!) - 1;
    found.rows++;
    const isPlant = isPlanted(keys.input![row]!) && offset === PLANTED;
    if (isPlant) found.found.add(sums[at]! / present[at]!, change >= 0.2);
    if (Math.abs(change) < 0.2) continue;
    found.reported++;
    if (!isPlant || change < 0) found.wrong++;
  }
  return found;
}

console.log(`${RUNS} runs each of ${SENSORS} sensors and ${KEYS} keys, ${DAYS} days; bun ${Bun.version}\n`);

console.log("### Nothing changes\n");
head("dispersion", "tests a run", "reported, %", "runs with any report", "ancestor reports, %");
for (const dispersions of [[1], [3], [8], [1, 3, 8]]) {
  let [tests, reported, runs, old, oldRows] = [0, 0, 0, 0, 0];
  for (let seed = 1; seed <= RUNS; seed++) {
    const world = draw(`nothing ${dispersions}`, seed, () => 1, { dispersions });
    const found = computeStatistics(world.table, { lastDays: LAST_DAYS }).tests;
    tests += found.m;
    reported += found.reported;
    if (found.reported > 0) runs++;
    const verdict = ancestor(world);
    old += verdict.reported;
    oldRows += verdict.rows;
  }
  line(dispersions.join(", "), Math.round(tests / RUNS), percent(reported, tests, 4), `${runs} of ${RUNS}`, percent(old, oldRows));
}

console.log("\n### Found at q = 5 %, by usual counts a sensor and day of 1-10 / 10-100 / over 100, %\n");
head("change", "sensor rows", "any row", "false among reported", "rows of sources: sensors", "any", "false", "ancestor: false");
const PLANTS: { name: string; plant: Plant }[] = [
  { name: "2 times on all sensors", plant: once(2) },
  { name: "4 times on all sensors", plant: once(4) },
  { name: "10 times on all sensors", plant: once(10) },
  { name: "4 times on one sensor", plant: oneSensor(4) },
];
for (const { name, plant } of PLANTS) {
  const verdicts = { events: new Verdicts(), sources: new Verdicts() };
  let [old, oldWrong] = [0, 0];
  for (let seed = 1; seed <= RUNS; seed++) {
    const world = draw("planted", seed, plant);
    verdicts.events.add(world, changesOf(world.table), plant);
    const verdict = ancestor(world);
    old += verdict.reported;
    oldWrong += verdict.wrong;
    const known = draw("planted", seed, plant, { hasSources: true });
    verdicts.sources.add(known, changesOf(known.table).filter(({ unit }) => unit === "sources"), plant);
  }
  const { events, sources } = verdicts;
  line(
    name, `${events.ofSensors}`, `${events.ofAny}`, `${percent(events.wrong, events.reported, 1)} %`,
    `${sources.ofSensors}`, `${sources.ofAny}`, `${percent(sources.wrong, sources.reported, 1)} %`, `${percent(oldWrong, old)} %`,
  );
}

console.log("\n### Harder worlds, 4 times on all sensors, at q = 5 %: events\n");
head("world", "any row, %", "false rows per 1,000 key-days", "false among reported");
for (const { name, plant = () => 1, more, isChange } of HARDER) {
  const verdicts = new Verdicts();
  for (let seed = 1; seed <= RUNS; seed++) {
    const world = draw("planted", seed, and(once(4), plant), more);
    verdicts.add(world, changesOf(world.table), once(4), isChange);
  }
  const keyDays = RUNS * LAST_DAYS * (more?.keys ?? KEYS);
  line(name, `${verdicts.ofAny}`, ((1000 * verdicts.wrong) / keyDays).toFixed(2), `${percent(verdicts.wrong, verdicts.reported, 1)} %`);
}

/** Scores of every key on every shown day: the largest of the fleet's and the sensors' rows. */
type Scores = Map<string, number>;

function ownScores({ table }: SimulatedWorld, unit: Unit): Scores {
  const scores: Scores = new Map();
  for (const row of changesOf(table, { rows: "all" })) {
    if (row.unit !== unit || row.count <= row.expected) continue;
    const at = `${keyOf(row)} ${row.lastDay - DAY_0}`;
    scores.set(at, Math.max(scores.get(at) ?? 0, -Math.log10(Math.max(1e-300, row.p))));
  }
  return scores;
}

function rivalScores({ table }: SimulatedWorld, rule: Rule): Scores {
  const { rows, day, sensor, count, keys } = table.kinds.command;
  const places = table.dictionaries.input.length;
  const isUp = new Uint8Array(SENSORS * DAYS);
  table.kinds.event.day.forEach((at, row) => (isUp[table.kinds.event.sensor[row]! * DAYS + at - DAY_0] = 1));
  const laid = new Float64Array(places * SENSORS * DAYS);
  for (let row = 0; row < rows; row++) laid[(keys.input![row]! * SENSORS + sensor[row]!) * DAYS + day[row]! - DAY_0] = count[row]!;
  const scores: Scores = new Map();
  for (let key = 0; key < places; key++) {
    const fleet = Array.from({ length: DAYS }, (_, offset) => {
      let [sum, up] = [0, 0];
      for (let s = 0; s < SENSORS; s++) {
        up += isUp[s * DAYS + offset]!;
        sum += laid[(key * SENSORS + s) * DAYS + offset]!;
      }
      return up === 0 ? NaN : (sum * SENSORS) / up;
    });
    const all = [fleet, ...Array.from({ length: SENSORS }, (_, s) => fleet.map((__, offset) => (isUp[s * DAYS + offset] === 1 ? laid[(key * SENSORS + s) * DAYS + offset]! : NaN)))];
    for (const whole of all) {
      const observed = whole.flatMap((value, offset) => (Number.isNaN(value) ? [] : [{ value: Math.round(value), offset }]));
      const series = observed.map(({ value }) => value);
      for (const [t, { offset }] of observed.entries()) {
        if (offset < DAYS - LAST_DAYS) continue;
        const at = `${key} ${offset}`;
        scores.set(at, Math.max(scores.get(at) ?? 0, rule(series, t)));
      }
    }
  }
  return scores;
}

console.log(`\n### At one false key-day in 1,000: found by any row at 10-100 a day, %; of a change that lasts also the days until\n`);
const COMPARED: { name: string; plant: Plant; lasts: boolean }[] = [
  { name: "4 times for a day", plant: once(4), lasts: false },
  { name: "the same after an old burst", plant: and(once(4), HARDER[2]!.plant!), lasts: false },
  { name: "4 times on one sensor", plant: oneSensor(4), lasts: false },
  { name: "3 times from a day on", plant: (key, _, day) => (isPlanted(key) && day >= PLANTED ? 3 : 1), lasts: true },
  { name: "a ramp to 4 times in 18 days", plant: (key, _, day) => (isPlanted(key) ? 4 ** (Math.max(0, day - (DAYS - 19)) / 18) : 1), lasts: true },
];
const RULES: { name: string; score: (world: SimulatedWorld) => Scores; hasSources?: true }[] = [
  { name: "this test, events", score: world => ownScores(world, "events") },
  { name: "this test, sources", score: world => ownScores(world, "sources"), hasSources: true },
  { name: "EARS C2", score: world => rivalScores(world, earsC2) },
  { name: "Farrington flexible", score: world => rivalScores(world, farrington) },
  { name: "CUSUM", score: world => rivalScores(world, cusum) },
];
head("change", ...RULES.map(({ name }) => name));
for (const { name, plant, lasts } of COMPARED) {
  line(
    name,
    ...RULES.map(({ score, hasSources }) => {
      const worlds = Array.from({ length: RUNS }, (_, i) => {
        const world = draw("planted", i + 1, plant, hasSources ? { hasSources } : {});
        return { rates: world.rates, scores: score(world) };
      });
      const calm = worlds.flatMap(({ scores }) => [...scores].filter(([at]) => !isPlanted(Number.parseInt(at))).map(([, value]) => value));
      const keyDays = RUNS * LAST_DAYS * (KEYS - KEYS / PLANT_EVERY);
      const limit = calm.sort((a, b) => b - a)[Math.floor(FALSE_SHARE * keyDays)] ?? 0;
      let [planted, found, days] = [0, 0, 0];
      for (const { rates, scores } of worlds) {
        for (let key = 0; key < KEYS; key += PLANT_EVERY) {
          const rate = Array.from({ length: SENSORS }, (_, s) => rates[s * KEYS + key]!).reduce((a, b) => a + b) / SENSORS;
          if (classOf(rate) !== 1) continue;
          planted++;
          const first = lasts ? (name.startsWith("a ramp") ? DAYS - LAST_DAYS : PLANTED) : PLANTED;
          const last = lasts ? DAYS - 1 : PLANTED;
          let on = -1;
          for (let day = first; day <= last && on < 0; day++) if ((scores.get(`${key} ${day}`) ?? 0) > limit) on = day;
          if (on < 0) continue;
          found++;
          days += on - first + 1;
        }
      }
      return `${percent(found, planted)}${lasts && found > 0 ? ` (${(days / found).toFixed(1)})` : ""}`;
    }),
  );
}
