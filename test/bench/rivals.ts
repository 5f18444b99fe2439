/**
 * What the toolkit is measured against. Each rival answers the same question (every kind of row, by day, sensor and
 * key) in the way that a good user of it would write, and hands its rows over in one form for comparison.
 *
 * One run is one process, so that its time and its memory are its own:
 *
 *   bun test/bench/rivals.ts <floor|plain|duckdb> FOLDER [--rows FILE] [--modules FOLDER]
 *
 * stdout: one JSON object, {ms, detail}.
 */
import { parseArgs } from "node:util";
import { KINDS } from "../../lib/reduced/kinds.ts";
import { listLogs } from "../support/real-logs.ts";
import { SLOW_KINDS, type SlowKey, type SlowKind, type SlowRow, sortRows } from "../support/slow-counter.ts";

/** What a run says of itself. */
export interface RunReport {
  ms: number;
  detail: Record<string, string | number>;
}

/** One row a line, in canonical order: equal answers are equal bytes. */
export function toComparableText(rows: SlowRow[]): string {
  return sortRows(rows)
    .map(row =>
      JSON.stringify([row.kind, row.date, row.sensor, ...row.key, row.count, row.success, row.firstUs, row.lastUs]),
    )
    .join("\n");
}

// Floor: what nobody can be faster than in one thread without a second look at the bytes.

/** Read every byte in chunks and find every line end; the text of the lines is not touched. */
export async function runFloor(paths: readonly string[]): Promise<RunReport> {
  const startMs = performance.now();
  let lines = 0;
  let sizeBytes = 0;
  for (const path of paths) {
    for await (const chunk of Bun.file(path).stream()) {
      sizeBytes += chunk.length;
      for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) lines++;
    }
  }
  return { ms: performance.now() - startMs, detail: { lines, sizeBytes } };
}

// Plain: JSON.parse per line into Maps, one file in memory at a time.

interface PlainEvent {
  eventid: string;
  timestamp: string;
  sensor?: string;
  session?: string;
  src_ip?: string;
  dst_ip?: string;
  dst_port?: number | string;
  username?: string;
  password?: string;
  input?: string;
  realm?: string;
  duration?: number | string;
  duration_ms?: number;
  url?: string;
  outfile?: string;
  shasum?: string;
  filename?: string;
  version?: string;
  hassh?: string;
  key?: string;
  fingerprint?: string;
  sha256?: string;
  positives?: number;
  total?: number;
}

/** Between the parts of a Map key; a control character that the parts are not expected to hold. */
const BETWEEN = "\u001f";
/** Stands for "no value". */
const NONE = "\u0001";

/** The rows of one sensor and day: kind -> key as one text -> row. */
type Bucket = Map<SlowKind, Map<string, SlowRow>>;

class PlainCounter {
  readonly #buckets = new Map<string, Map<number, Bucket>>();
  readonly #lastCommands = new Map<string, { sensor: string; input: string | null; us: number }>();

  add(event: PlainEvent): void {
    const us = toMicroseconds(event.timestamp);
    const sensor = event.sensor ?? "";
    const id = OLD_IDS[event.eventid] ?? event.eventid;
    this.#count("event", sensor, us, [id, Math.floor(us / 3_600_000_000) % 24]);
    switch (id) {
      case "cowrie.login.success":
      case "cowrie.login.failed": {
        const success = id === "cowrie.login.success" ? 1 : 0;
        this.#count("login", sensor, us, [event.username ?? null, event.password ?? null], success);
        break;
      }
      case "cowrie.command.input": {
        if (event.realm !== undefined) break;
        const input = event.input ?? null;
        this.#count("command", sensor, us, [input]);
        if (event.session === undefined) break;
        const session = sensor + BETWEEN + event.session;
        const last = this.#lastCommands.get(session);
        if (last === undefined || us >= last.us) this.#lastCommands.set(session, { sensor, input, us });
        break;
      }
      case "cowrie.session.connect":
        this.#count("connect", sensor, us, [toAddress(event.src_ip), toNumber(event.dst_port)]);
        break;
      case "cowrie.session.closed": {
        const seconds = event.duration === undefined ? toNumber(event.duration_ms, 1000) : toNumber(event.duration);
        const robot = seconds === null ? null : seconds < 10 ? 1 : 0;
        this.#count("session_closed", sensor, us, [toAddress(event.src_ip), robot]);
        break;
      }
      case "cowrie.session.file_download":
        if (event.shasum === undefined) break;
        this.#count("file_download", sensor, us, [event.url ?? null, event.outfile ?? null, event.shasum]);
        break;
      case "cowrie.session.file_upload":
        this.#count("file_upload", sensor, us, [event.filename ?? null, event.shasum ?? null]);
        break;
      case "cowrie.direct-tcpip.request":
        this.#count("proxy_request", sensor, us, [
          toAddress(event.src_ip),
          toAddress(event.dst_ip),
          toNumber(event.dst_port),
        ]);
        break;
      case "cowrie.client.version":
        this.#count("client", sensor, us, [toVersion(event.version), null]);
        break;
      case "cowrie.client.kex":
        this.#count("client", sensor, us, [null, event.hassh ?? null]);
        break;
      case "cowrie.client.fingerprint":
        if (event.key === undefined && event.fingerprint === undefined) break;
        this.#count("client_key", sensor, us, [event.key ?? null, event.fingerprint ?? null]);
        break;
      case "cowrie.virustotal.scanfile":
        if (event.sha256 === undefined || event.positives === undefined || event.total === undefined) break;
        this.#count("scan", sensor, us, [event.sha256, event.positives, event.total]);
        break;
    }
  }

  finish(): SlowRow[] {
    for (const { sensor, input, us } of this.#lastCommands.values()) {
      this.#count("pre_disconnect_command", sensor, us, [input]);
    }
    const rows: SlowRow[] = [];
    for (const days of this.#buckets.values()) {
      for (const bucket of days.values()) {
        for (const kind of bucket.values()) for (const row of kind.values()) rows.push(row);
      }
    }
    return rows;
  }

  #count(kind: SlowKind, sensor: string, us: number, key: SlowKey, success = 0): void {
    const day = Math.floor(us / 86_400_000_000);
    let days = this.#buckets.get(sensor);
    if (days === undefined) this.#buckets.set(sensor, (days = new Map<number, Bucket>()));
    let bucket = days.get(day);
    if (bucket === undefined) days.set(day, (bucket = new Map<SlowKind, Map<string, SlowRow>>()));
    let rows = bucket.get(kind);
    if (rows === undefined) bucket.set(kind, (rows = new Map<string, SlowRow>()));

    let id = String(key[0] ?? NONE);
    for (let i = 1; i < key.length; i++) id += BETWEEN + (key[i] ?? NONE);
    const row = rows.get(id);
    if (row === undefined) {
      const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
      rows.set(id, { kind, date, sensor, key, count: 1, success, firstUs: us, lastUs: us, addresses: null });
      return;
    }
    row.count++;
    row.success += success;
    if (us < row.firstUs) row.firstUs = us;
    if (us > row.lastUs) row.lastUs = us;
  }
}

const ID_NAMES = (
  "session.connect login.success login.failed log.open command.success command.failed session.file_download " +
  "session.input client.version client.size session.closed log.closed client.var direct-tcpip.request " +
  "direct-tcpip.data client.fingerprint session.file_upload"
).split(" ");
const OLD_IDS: Record<string, string> = {};
for (const [i, name] of ID_NAMES.entries()) {
  const number = String(i + 1).padStart(4, "0");
  if (i < 16) OLD_IDS[`KIPP${number}`] = `cowrie.${name}`;
  OLD_IDS[`COW${number}`] = `cowrie.${name}`;
}

/** Date.parse knows milliseconds; the digits below them are added. */
function toMicroseconds(timestamp: string): number {
  const ms = Date.parse(timestamp);
  if (timestamp.length === 27) return ms * 1000 + Number(timestamp.slice(23, 26));
  return Math.floor(ms / 1000) * 1_000_000 + Number(/\.(\d{1,6})/.exec(timestamp)?.[1]?.padEnd(6, "0") ?? 0);
}

function toAddress(text: string | undefined): string | null {
  if (text === undefined) return null;
  return text.startsWith("::") && /^::ffff:[\d.]+$/i.test(text) ? text.slice(7) : text;
}

function toVersion(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (text.length > 1 && text.startsWith("'") && text.endsWith("'")) return text.slice(1, -1);
  return /^b(['"]).*\1$/s.test(text) ? text.slice(2, -1) : text;
}

function toNumber(value: number | string | undefined, divisor = 1): number | null {
  if (value === undefined || value === "") return null;
  const number = Number(value) / divisor;
  return Number.isNaN(number) ? null : number;
}

/** JSON.parse per line, counts in Maps. */
export async function runPlain(paths: readonly string[]): Promise<RunReport & { rows: SlowRow[] }> {
  const startMs = performance.now();
  const counter = new PlainCounter();
  let lines = 0;
  for (const path of paths) {
    // One decode of the whole file and slices of it beat a decode per line.
    const text = await Bun.file(path).text();
    for (let start = 0; start < text.length; ) {
      const lineFeed = text.indexOf("\n", start);
      const end = lineFeed < 0 ? text.length : lineFeed;
      if (end > start) counter.add(JSON.parse(text.slice(start, end)) as PlainEvent);
      start = end + 1;
      lines++;
    }
  }
  const rows = counter.finish();
  return { ms: performance.now() - startMs, detail: { lines, rows: rows.length }, rows };
}

// DuckDB: one scan with an explicit column list into a table, then one GROUP BY per kind.

/** The little of `@duckdb/node-api` that is used; the package is installed by the benchmark, not by the project. */
interface DuckDb {
  version(): string;
  DuckDBInstance: { create(path: string): Promise<{ connect(): Promise<DuckConnection> }> };
}
interface DuckConnection {
  run(sql: string): Promise<unknown>;
  runAndReadAll(sql: string): Promise<{ getRows(): unknown[][] }>;
}

const SQL_OLD_IDS = `MAP {${Object.entries(OLD_IDS)
  .map(([old, today]) => `'${old}': '${today}'`)
  .join(", ")}}`;

const sqlAddress = (name: string) => `CASE WHEN ${name} ILIKE '::ffff:%.%' THEN substr(${name}, 8) ELSE ${name} END`;

/** Columns that take the type they have; `duration` is a number or a text, so it is read as text. */
const sqlScan = (paths: readonly string[]) => `
  CREATE TABLE events AS SELECT
    CASE WHEN eventid[1] IN ('K', 'C') THEN coalesce(${SQL_OLD_IDS}[eventid], eventid) ELSE eventid END AS eventid,
    "timestamp" AS seen, coalesce(sensor, '') AS sensor, session,
    ${sqlAddress("src_ip")} AS src_ip, ${sqlAddress("dst_ip")} AS dst_ip, dst_port,
    username, password, input, realm,
    coalesce(TRY_CAST(duration AS DOUBLE), duration_ms / 1000) AS seconds,
    url, outfile, shasum, filename,
    CASE WHEN version[1] IN ('b', '''')
         THEN regexp_replace(version, '^(?:b?''(.*)''|b"(.*)")$', '\\1\\2', 's') ELSE version END AS version,
    hassh, key, fingerprint, sha256, positives, total
  FROM read_json([${paths.map(path => `'${path.replaceAll("'", "''")}'`).join(", ")}],
    format = 'newline_delimited', ignore_errors = true, columns = {
      eventid: 'VARCHAR', "timestamp": 'TIMESTAMPTZ', sensor: 'VARCHAR', session: 'VARCHAR', src_ip: 'VARCHAR',
      dst_ip: 'VARCHAR', dst_port: 'INTEGER', username: 'VARCHAR', password: 'VARCHAR', input: 'VARCHAR',
      realm: 'VARCHAR', duration: 'VARCHAR', duration_ms: 'DOUBLE', url: 'VARCHAR', outfile: 'VARCHAR',
      shasum: 'VARCHAR', filename: 'VARCHAR', version: 'VARCHAR', hassh: 'VARCHAR',
      key: 'VARCHAR', fingerprint: 'VARCHAR', sha256: 'VARCHAR',
      positives: 'INTEGER', total: 'INTEGER'
    })
  WHERE eventid IS NOT NULL AND "timestamp" IS NOT NULL`;

/** Key expressions (in the order of KINDS), the rows they are counted over, and what makes a success. */
const SQL_KINDS: Record<SlowKind, { keys: string[]; where: string; from?: string }> = {
  login: { keys: ["username", "password"], where: "eventid IN ('cowrie.login.success', 'cowrie.login.failed')" },
  command: { keys: ["input"], where: "eventid = 'cowrie.command.input' AND realm IS NULL" },
  pre_disconnect_command: {
    keys: ["input"],
    where: "true",
    from: `(SELECT sensor, eventid, max(seen) AS seen, arg_max_null(input, seen) AS input FROM events
            WHERE eventid = 'cowrie.command.input' AND realm IS NULL AND session IS NOT NULL
            GROUP BY sensor, session, eventid)`,
  },
  connect: { keys: ["src_ip", "dst_port"], where: "eventid = 'cowrie.session.connect'" },
  session_closed: { keys: ["src_ip", "(seconds < 10)::INTEGER"], where: "eventid = 'cowrie.session.closed'" },
  file_download: {
    keys: ["url", "outfile", "shasum"],
    where: "eventid = 'cowrie.session.file_download' AND shasum IS NOT NULL",
  },
  file_upload: { keys: ["filename", "shasum"], where: "eventid = 'cowrie.session.file_upload'" },
  proxy_request: { keys: ["src_ip", "dst_ip", "dst_port"], where: "eventid = 'cowrie.direct-tcpip.request'" },
  client: {
    keys: [
      "CASE WHEN eventid = 'cowrie.client.version' THEN version END",
      "CASE WHEN eventid = 'cowrie.client.kex' THEN hassh END",
    ],
    where: "eventid IN ('cowrie.client.version', 'cowrie.client.kex')",
  },
  client_key: {
    keys: ["key", "fingerprint"],
    where: "eventid = 'cowrie.client.fingerprint' AND (key IS NOT NULL OR fingerprint IS NOT NULL)",
  },
  event: { keys: ["eventid", "hour(seen)"], where: "true" },
  scan: {
    keys: ["sha256", "positives", "total"],
    where: `eventid = 'cowrie.virustotal.scanfile' AND sha256 IS NOT NULL AND positives IS NOT NULL
            AND total IS NOT NULL`,
  },
};

const sqlCount = (kind: SlowKind) => {
  const { keys, where, from = "events" } = SQL_KINDS[kind];
  return `
  CREATE TABLE counts_${kind} AS SELECT
    seen::DATE AS day, sensor, ${keys.map((key, i) => `${key} AS key${i}`).join(", ")},
    count(*) AS n, count(*) FILTER (WHERE eventid = 'cowrie.login.success') AS successes,
    min(seen) AS first_seen, max(seen) AS last_seen
  FROM ${from} WHERE ${where} GROUP BY ALL`;
};

/**
 * The same aggregates by DuckDB in memory, all threads.
 *
 * @param modules Folder whose `node_modules` holds `@duckdb/node-api`.
 */
export async function runDuckDb(paths: readonly string[], modules: string, wantsRows: boolean) {
  const duckdb = (await import(Bun.resolveSync("@duckdb/node-api", modules))) as DuckDb;
  const connection = await (await duckdb.DuckDBInstance.create(":memory:")).connect();
  await connection.run("SET TimeZone = 'UTC'");
  const startMs = performance.now();
  // Nothing asks for the order of the lines, and keeping it costs memory.
  await connection.run("SET preserve_insertion_order = false");
  await connection.run(sqlScan(paths));
  const scanMs = performance.now() - startMs;
  for (const kind of SLOW_KINDS) await connection.run(sqlCount(kind));
  const ms = performance.now() - startMs;

  const rows: SlowRow[] = [];
  for (const kind of wantsRows ? SLOW_KINDS : []) {
    const keys = KINDS[kind].map((_, i) => `key${i}`).join(", ");
    const result = await connection.runAndReadAll(`SELECT day::VARCHAR, sensor, n, successes,
      epoch_us(first_seen), epoch_us(last_seen), ${keys} FROM counts_${kind}`);
    for (const [date, sensor, count, success, firstUs, lastUs, ...key] of result.getRows()) {
      rows.push({
        kind,
        date: date as string,
        sensor: sensor as string,
        key: key.map(part => (typeof part === "bigint" ? Number(part) : part)) as SlowKey,
        count: Number(count),
        success: kind === "login" ? Number(success) : 0,
        addresses: null,
        firstUs: Number(firstUs),
        lastUs: Number(lastUs),
      });
    }
  }
  return { ms, detail: { duckdb: duckdb.version(), scanMs }, rows };
}

async function main(argv: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: { rows: { type: "string" }, modules: { type: "string", default: "." } },
    allowPositionals: true,
  });
  const [name = "", folder = "."] = positionals;
  const paths = listLogs(folder);
  const run = {
    floor: () => runFloor(paths),
    plain: () => runPlain(paths),
    duckdb: () => runDuckDb(paths, values.modules, values.rows !== undefined),
  }[name];
  if (!run) throw new Error(`Cannot run "${name}": expected floor, plain or duckdb`);
  const { ms, detail, ...result } = await run();
  if (values.rows !== undefined && "rows" in result) await Bun.write(values.rows, toComparableText(result.rows));
  console.log(JSON.stringify({ ms, detail }));
}

if (import.meta.main) await main(Bun.argv.slice(2));
