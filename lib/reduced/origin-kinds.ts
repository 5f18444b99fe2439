/**
 * Rows that are made of others for pages and statistics, and that no table that is kept has: connections by country and by
 * network, once somebody says where addresses come from (`add-origins.ts`; databases change while counts do not), and SSH
 * keys, which stand inside commands and offers (`add-keys.ts`).
 *
 * Tested in `test/lib/reduced/add-origins.test.ts` and `test/lib/reduced/add-keys.test.ts`.
 */

import { type ComparedKind, isTextKey, type KeyColumn, type Kind, KIND_SPECS, KINDS, type TextKey } from "./kinds.ts";
import type { KindTable, ReducedTable } from "./reduced-table.ts";

/** Each is keyed by a column of its own name. */
export const ORIGIN_KINDS = ["country", "network"] as const;
export type OriginKind = (typeof ORIGIN_KINDS)[number];

/** Columns of an SSH key: 1 = planted, 0 = offered; its type, -1 where the log tells none; its fingerprint. */
const SSH_KEY_COLUMNS = ["planted", "key_type", "key_print"] as const;
type KeyText = "key_type" | "key_print";
type TextName = OriginKind | KeyText;

/** All that pages show, and all that is compared by key. */
export type ShownKind = Kind | OriginKind | "ssh_key";
export type ShownColumn = KeyColumn | TextName | "planted";
export type ComparableKind = ComparedKind | OriginKind;

/** The rows of one of these kinds. */
export type OriginRows = Omit<KindTable, "kind"> & { readonly kind: OriginKind };

export type SshKeyRows = Omit<KindTable, "kind"> & { readonly kind: "ssh_key" };

/** What `addKeys` adds to a table that holds a key. */
export interface SshKeyTables {
  readonly rows: SshKeyRows;
  /** code -> text, sorted. */
  readonly names: Readonly<Record<KeyText, readonly string[]>>;
}

/** The rows of any kind. */
export type ShownRows = KindTable | OriginRows | SshKeyRows;

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

/** The rows of a kind; undefined where nobody has said where addresses come from, no database knows one, or keys were not added. */
export function rowsOf(table: ReducedTable, kind: ShownKind): ShownRows | undefined {
  if (kind === "ssh_key") return table.sshKeys?.rows;
  if (!isOriginKind(kind)) return table.kinds[kind];
  return table.origins === undefined || table.origins.names[kind].length === 0 ? undefined : table.origins.kinds[kind];
}

export function namesOf(table: ReducedTable, column: TextKey | TextName): readonly string[] {
  if (isKeyText(column)) return table.sshKeys?.names[column] ?? [];
  return isOriginKind(column) ? (table.origins?.names[column] ?? []) : table.dictionaries[column];
}

/** Tell a column of text from one of numbers. */
export function isTextColumn(column: ShownColumn): column is TextKey | TextName {
  if (column === "planted") return false;
  return isOriginKind(column) || isKeyText(column) || isTextKey(column);
}

function isKeyText(column: ShownColumn): column is KeyText {
  return column === "key_type" || column === "key_print";
}

/** Columns of the key of a kind, and what one of its keys is called. */
export function keyOf(kind: ShownKind): readonly ShownColumn[] {
  if (kind === "ssh_key") return SSH_KEY_COLUMNS;
  return isOriginKind(kind) ? [kind] : KINDS[kind];
}

export function wordOf(kind: ComparableKind): string {
  return isOriginKind(kind) ? kind : KIND_SPECS[kind].word;
}
