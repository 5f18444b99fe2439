/**
 * What does it cost to make one reduced table of a fleet's, and to tell of it? A table per sensor: 365 days x 100 sensors x 2,000 keys a
 * day, 73 million rows.
 *
 * Run: bun test/bench/combine.bench.ts [days] [sensors] [keys drawn a sensor-day]
 *
 * The tables are drawn into a temporary folder first, or into the one that COMBINE_TABLES names (not timed; some 40 bytes a row). What is measured is each script as a
 * process of its own: its CPU seconds and its highest memory.
 */
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { addressHash, SetDictionary } from "../../lib/columns/address-sets.ts";
import { KIND_NAMES, KINDS, type KeyColumn, type Kind, REDUCED_VERSION, TEXT_KEYS, type TextKey } from "../../lib/reduced/kinds.ts";
import { reducedToIpc } from "../../lib/reduced/reduced-arrow.ts";
import { emptyTable, type KindTable, type ReducedTable } from "../../lib/reduced/reduced-table.ts";
import { hashNumbers, type Random, seededRandom } from "../support/random.ts";
import { makeTempDir, ROOT } from "../support/run.ts";

// Of 2,920 keys that are drawn for a day, some are the same: 1,996 are left.
const [days = 365, sensors = 100, keysPerDay = 2920] = Bun.argv.slice(2).map(Number);
const DAY_0 = 19_800;
const DAY_US = 86_400_000_000;

/** Share of the keys of a sensor-day, and how many distinct ones there are in the whole world. */
const SHAPE: readonly { kind: Kind; share: number; pool: number; key: (n: number) => number[] }[] = [
  { kind: "login", share: 0.45, pool: 2_000_000, key: n => [n >>> 8, hashNumbers(n) % 500_000] },
  { kind: "command", share: 0.07, pool: 20_000, key: n => [n] },
  { kind: "connect", share: 0.23, pool: 1_000_000, key: n => [n >>> 1, 22 + (n & 1)] },
  { kind: "session_closed", share: 0.2, pool: 1_000_000, key: n => [n >>> 1, n & 1] },
  { kind: "client", share: 0.05, pool: 5_000, key: n => [n, -1] },
  // Nearly every hour of four types: drawn so often that hardly any is missing.
  { kind: "event", share: 0.3, pool: 96, key: n => [Math.floor(n / 24), n % 24] },
];

/** Numbers that stand for texts, as texts in the same order. */
const textOf = (number: number) => `text ${String(number).padStart(7, "0")}`;

function drawKind(kind: Kind, random: Random, perDay: number, pool: number, key: (n: number) => number[], sets: SetDictionary): KindTable {
  const rows: number[][] = [];
  for (let day = 0; day < days; day++) {
    // Half from a heavy tail, some of which come every day; half from anywhere, hardly ever to come again.
    const drawn = new Set(Array.from({ length: perDay }, (_, i) => (i % 2 === 0 ? random.zipf(1.4, pool) : random.int(pool))));
    const keys = [...drawn].map(key).sort((a, b) => a[0]! - b[0]! || (a[1] ?? 0) - (b[1] ?? 0));
    keys.forEach((values, i) => {
      if (i === 0 || values.some((value, c) => value !== keys[i - 1]![c])) rows.push([DAY_0 + day, ...values]);
    });
  }
  const empty = emptyTable(kind);
  const noon = Float64Array.from(rows, ([day]) => (day! + 0.5) * DAY_US);
  return {
    ...empty,
    rows: rows.length,
    day: Int32Array.from(rows, ([day]) => day!),
    sensor: new Int32Array(rows.length),
    keys: Object.fromEntries(KINDS[kind].map((name: KeyColumn, i) => [name, Int32Array.from(rows, row => row[1 + i]!)])),
    count: Float64Array.from(rows, () => 1 + Math.clz32(random.word())),
    success: new Float64Array(rows.length),
    addresses: empty.addresses && Int32Array.from(rows, () => sets.internAny(Uint32Array.of(addressHash(`10.0.0.${random.int(256)}`)))),
    firstSeenUs: noon,
    lastSeenUs: noon,
  };
}

/** The table of a sensor; its dictionaries hold the texts in use alone. */
function drawTable(sensor: number): ReducedTable {
  const random = seededRandom(`sensor ${sensor}`);
  const sets = new SetDictionary();
  const kinds = Object.fromEntries(KIND_NAMES.map(kind => [kind, emptyTable(kind)])) as Record<Kind, KindTable>;
  for (const { kind, share, pool, key } of SHAPE) kinds[kind] = drawKind(kind, random, Math.round(share * keysPerDay), pool, key, sets);
  const texts = {} as Record<TextKey | "sensor", string[]>;
  for (const name of TEXT_KEYS) {
    const columns = KIND_NAMES.flatMap(kind => kinds[kind].keys[name] ?? []);
    const used = [...new Set(columns.flatMap(codes => [...new Set(codes)]))].filter(code => code >= 0).sort((a, b) => a - b);
    const places = new Map(used.map((number, place) => [number, place]));
    for (const codes of columns) for (let row = 0; row < codes.length; row++) codes[row] = places.get(codes[row]!) ?? -1;
    texts[name] = used.map(textOf);
  }
  texts.sensor = [`sensor ${String(sensor).padStart(4, "0")}`];
  const hash = Bun.hash(`log of ${sensor}`).toString(16).padStart(64, "0");
  const events = KIND_NAMES.reduce((sum, kind) => sum + kinds[kind].count.reduce((a, b) => a + b, 0), 0);
  const source = {
    path: `/logs/${sensor}/cowrie.json`,
    sizeBytes: events * 300,
    headHash: hash,
    wholeHash: hash,
    counts: { lines: events, events, repaired: 0, rejected: 0, pending: 0 },
    firstSeenUs: DAY_0 * DAY_US,
    lastSeenUs: (DAY_0 + days) * DAY_US - 1,
  };
  return { info: { version: REDUCED_VERSION, parameters: { robotMaxSeconds: 10 }, sources: [source] }, dictionaries: texts, sets, kinds };
}

await using temp = await makeTempDir();
const folder = Bun.env.COMBINE_TABLES ?? join(temp.path, "sensors");
await mkdir(folder, { recursive: true });
let rows = 0;
let bytes = 0;
for (let sensor = 0; sensor < sensors; sensor++) {
  const table = drawTable(sensor);
  for (const kind of KIND_NAMES) rows += table.kinds[kind].rows;
  const path = join(folder, `${sensor}.arrow`);
  const writer = Bun.file(path).writer();
  for (const chunk of reducedToIpc(table)) writer.write(chunk);
  await writer.end();
  bytes += (await stat(path)).size;
}
console.log(`${new Date().toISOString()} bun ${Bun.version}: ${sensors} tables, ${rows} rows, ${(bytes / 1e6).toFixed(0)} MB`);

const checkout = Bun.env.COMBINE_CHECKOUT ?? ROOT;
const fleet = join(temp.path, "fleet");
const runs = [
  ["combine-reduced", folder, "-o", `${fleet}.json`],
  ["statistics", `${fleet}.arrow`, "-o", `${fleet}-stats.html`],
  ["history", `${fleet}.arrow`, "--json"],
  ["visualize", `${fleet}.arrow`, "-o", `${fleet}.html`],
] as const;
for (const [name, ...args] of runs) {
  const startMs = performance.now();
  const child = Bun.spawn(["bun", join(checkout, `scripts/${name}.ts`), ...args], { stdout: "ignore", stderr: "inherit" });
  if ((await child.exited) !== 0) throw new Error(`Cannot run ${name}`);
  const { cpuTime, maxRSS } = child.resourceUsage()!;
  const seconds = Number(cpuTime.total) / 1e6;
  console.log(
    `${name}: ${seconds.toFixed(1)} s of CPU time, ${((performance.now() - startMs) / 1000).toFixed(1)} s in all, ` +
      `${((seconds / rows) * 1e6).toFixed(2)} us a row, ${(maxRSS / 1e6).toFixed(0)} MB at most`,
  );
}
