/**
 * What is compared with its own past in a table that stays in its file: a kind of event and its sources, which have the same keys, or
 * the sources of a family of keys. Tasks know the codes of keys alone; what must be known of texts is made of them once, by code.
 *
 * Tested in `test/lib/statistics/stored-statistics.test.ts`.
 */
import { addressHash } from "../columns/address-sets.ts";
import { allTexts, textOf } from "../columns/dictionary.ts";
import { sharedInts } from "../columns/shared-arrays.ts";
import { hashTuple } from "../columns/tuple-numbers.ts";
import { COMPARED_KINDS, isTextKey, type KeyColumn, type Kind, KINDS, type TextKey } from "../reduced/kinds.ts";
import type { KindTable } from "../reduced/reduced-table.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import { type ChangeKind, type KeyValues, SOURCE_FAMILIES, type SourceFamily } from "./keyed-rows.ts";
import type { StatisticsSettings } from "./settings.ts";
import { familiesOf, FAMILY_ROWS, mapTexts, SOURCE_KINDS } from "./source-counts.ts";

export interface ComparedUnit {
  readonly name: ChangeKind;
  /** What its rows are. */
  readonly kind: Kind;
  readonly columns: readonly KeyColumn[];
  /** The family whose keys it has; undefined of a kind, whose events are compared. */
  readonly family: SourceFamily | undefined;
  readonly hasSources: boolean;
}

/** Kinds first, then families. */
export function unitsOfKinds({ kinds }: Pick<StatisticsSettings, "kinds">, hasSources: boolean): ComparedUnit[] {
  const own = COMPARED_KINDS.filter(kind => kinds.includes(kind)).map((kind): ComparedUnit => {
    const isCounted = hasSources && (SOURCE_KINDS as readonly Kind[]).includes(kind);
    return { name: kind, kind, columns: keyNames(kind), family: undefined, hasSources: isCounted };
  });
  const families = (hasSources ? familiesOf(kinds) : []).map((family): ComparedUnit => {
    return { name: family, kind: FAMILY_ROWS[family].kind, columns: SOURCE_FAMILIES[family].columns, family, hasSources: true };
  });
  return [...own, ...families];
}

/** The columns of a kind's key; events are compared by their ids alone. */
export function keyNames(kind: Kind): readonly KeyColumn[] {
  return kind === "event" ? ["eventid"] : KINDS[kind];
}

/** What tasks know of texts, in memory that threads share. */
export interface CodedTexts {
  /** By code a hash of the text: what samples of keys are drawn by. */
  readonly hashes: Readonly<Partial<Record<TextKey, Uint32Array>>>;
  /** Of families whose keys are made of texts: by code the number of what is made, -1 = nothing, and by number its hash. */
  readonly made: Readonly<Partial<Record<SourceFamily, { readonly codes: Int32Array; readonly hashes: Uint32Array }>>>;
  /** By code of an address what stands for it in sets. */
  readonly addresses: Uint32Array;
}

/** Names keys by their codes, and tells tasks what they must know of texts. */
export class UnitTexts {
  readonly coded: CodedTexts;
  readonly #stored: StoredTable;
  readonly #made = new Map<SourceFamily, readonly string[]>();

  constructor(stored: StoredTable, units: readonly ComparedUnit[]) {
    this.#stored = stored;
    const names = new Set(units.flatMap(({ columns, family }) => (textOfFamily(family) === undefined ? columns.filter(isTextKey) : [])));
    const made: Partial<Record<SourceFamily, { codes: Int32Array; hashes: Uint32Array }>> = {};
    for (const { family, columns } of units) {
      const make = textOfFamily(family);
      if (family === undefined || make === undefined) continue;
      const { codes, texts } = mapTexts(allTexts(stored.textsOf(columns[0] as TextKey)), make);
      this.#made.set(family, texts);
      const shared = sharedInts(codes.length);
      shared.set(codes);
      made[family] = { codes: shared, hashes: hashesOf(texts) };
    }
    const hasAddresses = units.some(({ kind, hasSources }) => hasSources && (KINDS[kind] as readonly KeyColumn[]).includes("src_ip"));
    this.coded = {
      hashes: Object.fromEntries([...names].map(name => [name, hashesOf(allTexts(stored.textsOf(name)))])),
      made,
      addresses: hasAddresses ? numbersOf(allTexts(stored.textsOf("src_ip")), addressHash) : new Uint32Array(0),
    };
  }

  /** @param codes Of each column of the unit, -1 = no value. */
  nameOf({ columns, family }: ComparedUnit, codes: readonly number[]): KeyValues {
    const made = family && this.#made.get(family);
    return columns.map((name, i) => {
      const code = codes[i]!;
      if (code < 0) return null;
      if (made !== undefined) return made[code]!;
      return isTextKey(name) ? textOf(this.#stored.textsOf(name), code) : code;
    });
  }
}

function textOfFamily(family: SourceFamily | undefined): ((text: string) => string | undefined) | undefined {
  const from = family && FAMILY_ROWS[family];
  return from !== undefined && "textOf" in from ? from.textOf : undefined;
}

function hashesOf(texts: readonly string[]): Uint32Array {
  return numbersOf(texts, text => Bun.hash.xxHash32(text));
}

function numbersOf(texts: readonly string[], numberOf: (text: string) => number): Uint32Array {
  const numbers = new Uint32Array(new SharedArrayBuffer(texts.length * Uint32Array.BYTES_PER_ELEMENT));
  for (let code = 0; code < numbers.length; code++) numbers[code] = numberOf(texts[code]!);
  return numbers;
}

/** The codes of a unit's keys in some rows of its kind, good until it is asked for others. */
export function codesIn({ columns, family }: ComparedUnit, { made }: CodedTexts): (part: KindTable) => readonly Int32Array[] {
  const codes = family && made[family]?.codes;
  if (codes === undefined) return ({ keys }) => columns.map(name => keys[name]!);
  const map = mapper(codes);
  return ({ keys }) => [map(keys[columns[0]!]!)];
}

/** Puts what each code stands for in its place, -1 for none; good until the next column. */
export function mapper(codes: Int32Array): (column: Int32Array) => Int32Array {
  let mapped = new Int32Array(0);
  return column => {
    if (mapped.length !== column.length) mapped = new Int32Array(column.length);
    for (let row = 0; row < mapped.length; row++) mapped[row] = column[row]! < 0 ? -1 : codes[column[row]!]!;
    return mapped;
  };
}

/** 32 bits for each key, as `markTexts` gives them. */
export function marksOf({ columns, family }: ComparedUnit, { hashes, made }: CodedTexts, codes: readonly Int32Array[]): Uint32Array {
  const marks = new Uint32Array(codes[0]!.length);
  codes.forEach((column, i) => {
    const name = columns[i]!;
    const known = (family && made[family]?.hashes) ?? (isTextKey(name) ? hashes[name] : undefined);
    for (let key = 0; key < marks.length; key++) {
      const code = column[key]!;
      marks[key] = hashTuple(marks[key]!, code < 0 || known === undefined ? code : known[code]!, code < 0 ? 1 : 0);
    }
  });
  return marks;
}
