/**
 * Connections by country and by network: rows that are made for pages and statistics once somebody says where addresses
 * come from (`add-origins.ts`). No table that is kept has them, since databases change while counts do not.
 *
 * Tested in `test/lib/reduced/add-origins.test.ts`.
 */

import { type ComparedKind, isTextKey, type KeyColumn, type Kind, KIND_SPECS, KINDS, type TextKey } from "./kinds.ts";
import type { KindTable, ReducedTable } from "./reduced-table.ts";

/** Each is keyed by a column of its own name. */
export const ORIGIN_KINDS = ["country", "network"] as const;
export type OriginKind = (typeof ORIGIN_KINDS)[number];

/** All that pages show, and all that is compared by key. */
export type ShownKind = Kind | OriginKind;
export type ShownColumn = KeyColumn | OriginKind;
export type ComparableKind = ComparedKind | OriginKind;

/** The rows of one of these kinds. */
export type OriginRows = Omit<KindTable, "kind"> & { readonly kind: OriginKind };

/** The rows of any kind. */
export type ShownRows = KindTable | OriginRows;

/** What `addOrigins` adds to a table. */
export interface OriginTables {
  /** Which databases say so, in words. */
  readonly by: string;
  readonly kinds: Readonly<Record<OriginKind, OriginRows>>;
  /** By the code of each source address: where it comes from, in words; "" = nobody knows. */
  readonly addresses: readonly string[];
  /** code -> text, sorted. */
  readonly names: Readonly<Record<OriginKind, readonly string[]>>;
}

export function isOriginKind(name: string): name is OriginKind {
  return (ORIGIN_KINDS as readonly string[]).includes(name);
}

/** The rows of a kind; undefined where nobody has said where addresses come from, or no database knows one of them. */
export function rowsOf(table: ReducedTable, kind: ShownKind): ShownRows | undefined {
  if (!isOriginKind(kind)) return table.kinds[kind];
  return table.origins === undefined || table.origins.names[kind].length === 0 ? undefined : table.origins.kinds[kind];
}

/** The texts of a column of text. */
export function namesOf(table: ReducedTable, column: TextKey | OriginKind): readonly string[] {
  return isOriginKind(column) ? (table.origins?.names[column] ?? []) : table.dictionaries[column];
}

/** Tell a column of text from one of numbers. */
export function isTextColumn(column: ShownColumn): column is TextKey | OriginKind {
  return isOriginKind(column) || isTextKey(column);
}

/** Columns of the key of a kind, and what one of its keys is called. */
export function keyOf(kind: ShownKind): readonly ShownColumn[] {
  return isOriginKind(kind) ? [kind] : KINDS[kind];
}

export function wordOf(kind: ShownKind): string {
  return isOriginKind(kind) ? kind : KIND_SPECS[kind].word;
}
