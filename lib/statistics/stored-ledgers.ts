/**
 * The ledgers of a table that stays in its file, put together of what tasks read slice by slice.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { allTexts, textOf } from "../columns/dictionary.ts";
import { sharedInts } from "../columns/shared-arrays.ts";
import type { TextKey } from "../reduced/kinds.ts";
import type { Given, StoredPool } from "../reduced/stored-pool.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import { maskCommand } from "../text/masks.ts";
import { joinValues } from "./join-slices.ts";
import type { LedgerEntry } from "./ledger.ts";
import { FEW_TYPES, type LEDGER_TASKS, type LedgerSlice } from "./ledger-tasks.ts";
import { newSensorsOf } from "./novelty.ts";
import type { JoinedLedger, NamedLedger } from "./statistics.ts";
import type { PartContext } from "./statistics-parts.ts";
import { CODED_VALUES, type CodedType } from "./stored-values.ts";
import { ALL_KEYS, cutSlice, type KeySlice } from "./unit-rows.ts";
import type { StoredContext } from "./unit-tasks.ts";
import { mapCodes, VALUE_TYPES, type ValueType } from "./value-rows.ts";

/** Values of which one task keeps a ledger: some 150 bytes each. */
const SLICE_VALUES = 900_000;
/** Rows of the slice that tells how many values there are, for each value of which one task keeps a ledger. */
const PROBE_ROWS = 2;
/** A row that is read into a ledger costs more than one that is looked at. */
const LEDGER_COST = 4;

export type LedgerPool = StoredPool<typeof LEDGER_TASKS>;

export interface LedgerSource {
  readonly stored: StoredTable;
  readonly context: PartContext;
  readonly given: Given<StoredContext>;
  /** Rows of each kind. */
  readonly rowsOf: (kind: (typeof CODED_VALUES)[CodedType]["kind"]) => number;
  /** Values of which one task keeps a ledger. */
  readonly sliceValues?: number;
}

/** By `VALUE_TYPES`. */
export async function readLedgers(source: LedgerSource, pool: LedgerPool): Promise<NamedLedger[]> {
  const { given } = source;
  const coded = VALUE_TYPES.filter(type => type in CODED_VALUES) as CodedType[];
  const [few, ...ledgers] = await Promise.all([pool.ask("readFew", { given }, 0), ...coded.map(type => readCoded(source, pool, type))]);
  const known = new Map<ValueType, NamedLedger>(coded.map((type, i) => [type, ledgers[i]!]));
  FEW_TYPES.forEach((type, i) => known.set(type, few[i]!));
  return VALUE_TYPES.map(type => known.get(type)!);
}

async function readCoded(source: LedgerSource, pool: LedgerPool, type: CodedType): Promise<NamedLedger> {
  const { stored, context, given, rowsOf } = source;
  const rows = rowsOf(CODED_VALUES[type].kind);
  const masked = type === "command" ? maskedOf(stored) : undefined;
  const ask = { given, type, ...(masked && { masked: pool.give(masked) }) };
  const read = async (slice: KeySlice) => await pool.ask("readValues", { ...ask, slice }, LEDGER_COST * rows);
  const joined = joinValues(type === "credential" ? await readSlices(read, rows, source.sliceValues ?? SLICE_VALUES) : [await read(ALL_KEYS)], context);
  const told = new Map<string, number[]>();
  for (const { value } of entriesOf(joined)) told.set(value.join(), value);
  const codes = [...told.values()];
  const seen = codes.length === 0 ? [] : await pool.ask("readSeen", { ...ask, codes }, rows);
  const sensorsOf = new Map([...told.keys()].map((name, i) => [name, seen[i]!]));
  return nameJoined(joined, context, value => sensorsOf.get(value.join())!, namer(stored, type, masked));
}

/** A ledger of all values of a type in slices; the first, of few rows, tells how many there are. */
async function readSlices(read: (slice: KeySlice) => Promise<LedgerSlice>, rows: number, sliceValues: number): Promise<LedgerSlice[]> {
  const [probe, ...rest] = cutSlice(ALL_KEYS, Math.ceil(rows / (PROBE_ROWS * sliceValues)));
  const first = await read(probe!);
  if (rest.length === 0) return [first];
  const more = { start: probe!.end, end: ALL_KEYS.end };
  const values = (first.values * (more.end - more.start)) / (probe!.end - probe!.start);
  return [first, ...(await Promise.all(cutSlice(more, Math.ceil(values / sliceValues)).map(read)))];
}

/** By code of a command the number of what is counted as one; in memory that threads share. */
function maskedOf(stored: StoredTable): Int32Array {
  const { map } = mapCodes(allTexts(stored.textsOf("input")), maskCommand);
  const shared = sharedInts(map.length);
  shared.set(map);
  return shared;
}

/** What the codes of values stand for. */
function namer(stored: StoredTable, type: CodedType, masked: Int32Array | undefined): (codes: readonly number[]) => (string | null)[] {
  const { columns } = CODED_VALUES[type];
  if (masked !== undefined) return ([value]) => [maskCommand(textOf(stored.textsOf("input"), masked.indexOf(value!)))];
  return codes => columns.map((name: TextKey, i) => (codes[i]! < 0 ? null : textOf(stored.textsOf(name as "username"), codes[i]!)));
}

function* entriesOf<Value>({ novelty, onlyHere }: JoinedLedger<Value>): Generator<LedgerEntry<Value>> {
  for (const list of [novelty.new, novelty.newHere, novelty.returning, novelty.gone, onlyHere]) yield* list;
}

function nameJoined(
  { novelty, onlyHere, ...more }: JoinedLedger<number[]>,
  { coverage, novelty: options }: PartContext,
  sensorsOf: (value: number[]) => LedgerEntry["sensors"],
  nameOf: (value: number[]) => (string | null)[],
): NamedLedger {
  const name = <E extends LedgerEntry<number[]>>(entries: readonly E[]) => entries.map(entry => ({ ...entry, value: nameOf(entry.value), sensors: sensorsOf(entry.value) }));
  const newOn = newSensorsOf(coverage, options);
  return {
    ...more,
    novelty: {
      total: novelty.total,
      new: name(novelty.new),
      newHere: name(novelty.newHere).map(entry => ({ ...entry, newOn: newOn(entry.sensors) })),
      returning: name(novelty.returning),
      gone: name(novelty.gone),
    },
    onlyHere: name(onlyHere),
  };
}
