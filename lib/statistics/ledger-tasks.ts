/**
 * The ledgers of a table that stays in its file as tasks: each for one slice of the values of a type, then one for what each sensor
 * saw of those that are told. What comes in few rows (files, URLs, SSH keys) is read by one task.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { type Given, lookUp } from "../reduced/stored-pool.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import { countDistinctPerDay, DISTINCT_OF } from "./distinct.ts";
import { buildLedger, entryOf, firstPlaceOf, type Ledger, type LedgerEntry, seenBySensors } from "./ledger.ts";
import { findNovelty, ledgerDays } from "./novelty.ts";
import { countShared, countSpread, listOnlyHere } from "./sensor-compare.ts";
import type { MeasuredValues } from "./slice-work.ts";
import { type NamedLedger, nameLedger } from "./statistics.ts";
import { readLedger } from "./statistics-parts.ts";
import { type CodedType, codedValues, gatherFew, rowsOfCodes } from "./stored-values.ts";
import type { KeySlice } from "./unit-rows.ts";
import type { StoredContext } from "./unit-tasks.ts";
import { toValueRows, type ValueType } from "./value-rows.ts";

interface ValuesAsk {
  readonly given: Given<StoredContext>;
  readonly type: CodedType;
  /** Of commands by code the number of the value. */
  readonly masked?: Given<Int32Array>;
}

export interface LedgerAsk extends ValuesAsk {
  readonly slice: KeySlice;
}

/** What a slice of a ledger says; what each sensor saw of the entries is not told. */
export interface LedgerSlice extends MeasuredValues<number[]> {
  /** How many values it has. */
  readonly values: number;
}

function readValues(stored: StoredTable, { given, type, masked, slice }: LedgerAsk): LedgerSlice {
  const { coverage, novelty: options } = lookUp(given).context;
  const { rows, codesOf } = codedValues(stored, type, slice, masked && lookUp(masked));
  const ledger = buildLedger(rows, coverage, ledgerDays(coverage, options));
  const { total, ...lists } = findNovelty(ledger, coverage, options, withoutSensors);
  const name = DISTINCT_OF.get(type);
  const code = <E extends LedgerEntry<number>>(entries: readonly E[]) =>
    entries.map(entry => {
      const value = codesOf(entry.value);
      // As values are numbered in a whole table: credentials by their first rows, others by their codes.
      return { ...entry, value, order: type === "credential" ? [firstPlaceOf(ledger, entry.value), ...value] : value };
    });
  return {
    values: rows.values,
    total,
    new: code(lists.new),
    newHere: code(lists.newHere),
    returning: code(lists.returning),
    gone: code(lists.gone),
    onlyHere: code(listOnlyHere(ledger, coverage.sensors, options.limit, withoutSensors)),
    distinct: name === undefined ? [] : countDistinctPerDay(ledger, name, coverage),
    spread: countSpread(ledger),
    shared: countShared(ledger, [...coverage.sensors.keys()]),
  };
}

function withoutSensors(ledger: Ledger, values: ReadonlySet<number>): Map<number, LedgerEntry<number>> {
  return new Map(Array.from(values, value => [value, entryOf(ledger, value)]));
}

export interface SeenAsk extends ValuesAsk {
  readonly codes: readonly number[][];
}

/** What each sensor saw of some values, by their places. */
function readSeen(stored: StoredTable, { given, type, masked, codes }: SeenAsk): LedgerEntry["sensors"][] {
  const parts = rowsOfCodes(stored, type, codes, masked && lookUp(masked));
  const seen = seenBySensors({ values: codes.length, parts }, new Set(codes.keys()), lookUp(given).context.coverage.sensors);
  return codes.map((_, value) => seen.get(value)!);
}

export const FEW_TYPES = ["hash", "urlHost", "sshKey"] as const satisfies readonly Exclude<ValueType, CodedType>[];

/** By {@link FEW_TYPES}. */
function readFew(stored: StoredTable, { given }: Pick<ValuesAsk, "given">): NamedLedger[] {
  const few = gatherFew(stored);
  return FEW_TYPES.map(type => {
    const { rows, textOf } = toValueRows(few, type);
    return nameLedger(readLedger(lookUp(given).context, rows), textOf);
  });
}

export const LEDGER_TASKS = { readValues, readSeen, readFew };
