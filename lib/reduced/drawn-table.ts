/**
 * What pages and statistics look at one by one. A log may name as many sensors and days as it likes, and what is laid out
 * by both grows with their product: beyond a limit the sensors with the fewest events are summed up as one, and days that
 * lie far from the rest are left out. Nothing of that touches what is counted, and all of it is said.
 */
import { formatNumber, plural, toIsoDay } from "../text/format.ts";
import { type BusiestDays, busiestDays, countOutside } from "./busiest-days.ts";
import { type Kind, KIND_NAMES } from "./kinds.ts";
import { toReducedRows } from "./reduced-arrow.ts";
import { toTexts } from "../columns/dictionary.ts";
import { ReducedBuilder } from "./reduced-builder.ts";
import { type KindTable, type ReducedTable, takeRows } from "./reduced-table.ts";

export interface DrawLimits {
  /** Sensors, the one for all others included. */
  readonly sensors: number;
  readonly days: number;
  /** Their product. */
  readonly sensorDays: number;
}

/** Some 25 years; a thousand sensors for a year, a hundred for ten. A sensor-day takes some 2 kB of memory. */
const DRAW_LIMITS: DrawLimits = { sensors: 1000, days: 9131, sensorDays: 400_000 };

/** Days in a row that are looked at, at most. */
export const DAYS_DRAWN = DRAW_LIMITS.days;

/** How many sensors are looked at one by one over some days, the one for all others included. */
export function sensorsDrawn({ first, last }: BusiestDays, most: DrawLimits = DRAW_LIMITS): number {
  return Math.max(2, Math.min(most.sensors, Math.floor(most.sensorDays / (last - first + 1))));
}

export interface PartlyCut {
  /** Its code. */
  readonly sensor: number;
  /** Days since 1970-01-01 UTC. */
  readonly days: readonly number[];
}

export interface DrawnTable {
  /** The table itself where all of it is drawn. */
  readonly table: ReducedTable;
  /** Code of what stands for all sensors that are not drawn one by one; undefined = every one is. */
  readonly others?: number;
  /** Days on which some of the others' counts were cut and some were not: their sum is no full count. */
  readonly partlyCut?: PartlyCut;
  /** How many sensors there are, drawn one by one or not. */
  readonly allSensors: number;
  /** What is not drawn, a sentence each. */
  readonly limits: readonly string[];
}

/** Sum up what is beyond the limits; a table within them is handed back as it is. */
export function drawTable(table: ReducedTable, most: DrawLimits = DRAW_LIMITS): DrawnTable {
  const range = busiestDays(table, most.days);
  const names = table.dictionaries.sensor;
  const allSensors = names.length;
  if (range === undefined) return { table, allSensors, limits: [] };
  const sensorsMost = sensorsDrawn(range, most);
  const weights = new Float64Array(names.length);
  let isOutside = false;
  for (const kind of KIND_NAMES) {
    if (kind === "scan") continue;
    const { rows, day, sensor, count } = table.kinds[kind];
    for (let row = 0; row < rows; row++) weights[sensor[row]!]! += count[row]!;
    isOutside ||= rows > 0 && (day[0]! < range.first || day[rows - 1]! > range.last);
  }
  const isMany = names.length > sensorsMost;
  if (!isMany && !isOutside) return { table, allSensors, limits: [] };

  const united = isMany ? uniteOthers(table, weights, sensorsMost) : undefined;
  const { sensorNames = names, othersName, cutDays = [] } = united ?? {};
  const limits = [...(united ? [united.limit] : []), ...(isOutside ? [describeOutside(countOutside(table, range), range)] : [])];
  const rows = toReducedRows(table);
  const texts = { ...rows.texts, sensor: toTexts(sensorNames) };
  const kinds = Object.fromEntries(
    KIND_NAMES.map(kind => [kind, kind === "scan" ? table.kinds[kind] : rowsOfDays(table.kinds[kind], range)]),
  ) as Record<Kind, KindTable>;
  // Sessions of two sensors may share an id: their last commands are added up as they were counted.
  const { last_command: _, pre_disconnect_command, ...others } = kinds;
  const builder = new ReducedBuilder();
  const { sets } = table;
  builder.add({ texts, sets, kinds: others });
  builder.addCut({ texts, sets, kinds: { pre_disconnect_command } });
  const drawn = builder.finish(table.info);
  const code = othersName === undefined ? -1 : drawn.dictionaries.sensor.indexOf(othersName);
  return {
    table: drawn,
    allSensors,
    limits,
    ...(code >= 0 && { others: code }),
    ...(cutDays.length > 0 && { partlyCut: { sensor: code, days: cutDays } }),
  };
}

/** The names under which sensors are drawn: the busiest their own, all others the one that stands for them. */
function uniteOthers(table: ReducedTable, weights: Float64Array, sensorsMost: number) {
  const names = table.dictionaries.sensor;
  // Ties by name, which is the order of the codes.
  const ranked = Int32Array.from(names.keys()).sort((a, b) => weights[b]! - weights[a]! || a - b);
  const isKept = new Uint8Array(names.length);
  for (const code of ranked.subarray(0, sensorsMost - 1)) isKept[code] = 1;
  const taken = new Set(names.filter((_, code) => isKept[code] === 1));
  let othersName = `(${formatNumber(names.length - taken.size)} other sensors)`;
  // Somebody may have called a sensor so.
  while (taken.has(othersName)) othersName += "*";
  return {
    othersName,
    sensorNames: names.map((name, code) => (isKept[code] === 1 ? name : othersName)),
    cutDays: partlyCutDays(table, isKept),
    limit:
      `The ${formatNumber(taken.size)} busiest of ${formatNumber(names.length)} sensors are looked at one by one, the ` +
      "others together as one; the table has all of them.",
  };
}

export function describeOutside(events: number, { first, last }: BusiestDays): string {
  return `${plural(events, "event")} too far from the rest to be looked at, which is from ${toIsoDay(first)} to ${toIsoDay(last)}; the table has all of them.`;
}

/** Days on which one sensor that is not kept has events, and another counts alone: those that were cut tell no events. */
function partlyCutDays({ kinds, dictionaries }: ReducedTable, isKept: Uint8Array): number[] {
  const sensors = dictionaries.sensor.length;
  const cellsOf = ({ rows, day, sensor }: KindTable) => {
    const cells = new Set<number>();
    let before = -1;
    for (let row = 0; row < rows; row++) {
      const cell = day[row]! * sensors + sensor[row]!;
      if (cell !== before && isKept[sensor[row]!] === 0) cells.add(cell);
      before = cell;
    }
    return cells;
  };
  const full = cellsOf(kinds.event);
  const fullDays = new Set([...full].map(cell => Math.floor(cell / sensors)));
  const days = KIND_NAMES.filter(kind => kind !== "scan").flatMap(kind =>
    [...cellsOf(kinds[kind])].filter(cell => !full.has(cell)).map(cell => Math.floor(cell / sensors)),
  );
  return [...new Set(days)].filter(day => fullDays.has(day)).sort((a, b) => a - b);
}

function rowsOfDays(table: KindTable, { first, last }: BusiestDays): KindTable {
  const { day } = table;
  const rows = Int32Array.from(day.keys()).filter(row => day[row]! >= first && day[row]! <= last);
  if (rows.length === table.rows) return table;
  return takeRows(table, rows);
}
