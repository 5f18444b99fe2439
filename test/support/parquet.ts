/** Parquet files read back by hyparquet, and engines that read them too, where they are installed. */
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { because } from "./needs.ts";

/** Microseconds as numbers, 64-bit integers too; all else as it is. */
export type ParquetRow = Record<string, string | number | null>;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** The reader's own would take a byte order mark off the head of a text. */
const parsers = {
  ...DEFAULT_PARSERS,
  timestampFromMicroseconds: (us: bigint) => Number(us),
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && decoder.decode(bytes),
} as unknown as NonNullable<Parameters<typeof parquetReadObjects>[0]["parsers"]>;

/** All rows of a file. */
export async function readParquet(path: string): Promise<ParquetRow[]> {
  const rows = await parquetReadObjects({
    file: bufferOf(path),
    compressors: { ZSTD: bytes => Bun.zstdDecompressSync(bytes as Uint8Array<ArrayBuffer>) },
    parsers,
  });
  const plain = (value: unknown) => (typeof value === "bigint" ? Number(value) : (value ?? null));
  return rows.map(row => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plain(value)])) as ParquetRow);
}

/** Rows of each row group. */
export function rowGroupsOf(path: string): number[] {
  return parquetMetadata(bufferOf(path)).row_groups.map(({ num_rows }) => Number(num_rows));
}

function bufferOf(path: string): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

/** An engine that answers SQL over files. */
export interface Engine {
  readonly name: string;
  /** What stands behind FROM for all files of an export. */
  readonly parquet: (folder: string) => string;
  /** Its package for JavaScript takes a byte order mark off the head of a text; the engine does not. */
  readonly marksLost?: true;
  /** Rows as JSON has them; whole numbers perhaps as texts. */
  readonly ask: (sql: string) => Promise<unknown[][]>;
}

/** Where engines may be installed: they are too large to be packages of the project. */
const FOLDERS = [process.env.COWRIE_RIVALS, join(tmpdir(), "cowrie-bench-duckdb")].filter(folder => folder !== undefined);

function find(specifier: string): string | undefined {
  for (const folder of FOLDERS) {
    try {
      return Bun.resolveSync(specifier, folder);
    } catch {
      // The next one.
    }
  }
  return undefined;
}

interface DuckDb {
  DuckDBInstance: { create(path: string): Promise<{ connect(): Promise<{ runAndReadAll(sql: string): Promise<{ getRowsJson(): unknown[][] }> }> }> };
}

async function openDuckDb(path: string): Promise<Engine> {
  const { DuckDBInstance } = (await import(path)) as DuckDb;
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  return {
    name: "DuckDB",
    marksLost: true,
    parquet: folder => `read_parquet('${folder}/*/*.parquet', hive_partitioning = true)`,
    ask: async sql => (await connection.runAndReadAll(sql)).getRowsJson(),
  };
}

async function openChdb(path: string): Promise<Engine> {
  const { query } = (await import(path)) as { query(sql: string, format: string): string | Promise<string> };
  const settings = "settings use_hive_partitioning = 1, output_format_json_quote_64bit_integers = 0, schema_inference_mode = 'union'";
  return {
    name: "ClickHouse",
    parquet: folder => `file('${folder}/*/*.parquet', Parquet)`,
    ask: async sql => (JSON.parse(await query(`${sql} ${settings}`, "JSONCompact")) as { data: unknown[][] }).data,
  };
}

interface Polars {
  scanParquet(path: string, options: object): unknown;
  SQLContext: new (frames: object) => { execute(sql: string, options: { eager: true }): { rows(): unknown[][] } };
}

async function openPolars(path: string): Promise<Engine> {
  const module = (await import(path)) as { default: Polars };
  const { scanParquet, SQLContext } = module.default;
  let frame: unknown;
  return {
    name: "Polars",
    parquet: folder => {
      frame = scanParquet(`${folder}/*/*.parquet`, { hivePartitioning: true, tryParseHiveDates: false });
      return "events";
    },
    ask: async sql => new SQLContext({ events: frame }).execute(sql, { eager: true }).rows(),
  };
}

const ENGINES = {
  DuckDB: { specifier: "@duckdb/node-api", open: openDuckDb },
  ClickHouse: { specifier: "chdb", open: openChdb },
  Polars: { specifier: "nodejs-polars", open: openPolars },
};
export type EngineName = keyof typeof ENGINES;
export const ENGINE_NAMES = Object.keys(ENGINES) as EngineName[];

/** Why there is no such engine, as `missing` says it, and how to open the one there is. */
export function findEngine(name: EngineName) {
  const { specifier, open } = ENGINES[name];
  const path = find(specifier);
  return {
    ...because(path === undefined ? `no ${specifier} in the folder that COWRIE_RIVALS names` : undefined),
    open: () => open(path!),
  };
}
