/** Databases in MaxMind's format, built as a test wants them: sound ones by networks, others by the bytes of a record. */
import { addressBytes } from "../../lib/text/address.ts";

/** What a record may hold; a number is written as uint32, and {@link pointer} leads somewhere else. */
export type Written = string | number | boolean | readonly Written[] | { readonly [key: string]: Written } | Raw;

/** Bytes as they are. */
export class Raw {
  readonly bytes: readonly number[];

  constructor(bytes: readonly number[]) {
    this.bytes = bytes;
  }
}

/** A pointer to an offset of the data, in its longest form. */
export function pointer(offset: number): Raw {
  return new Raw([0x38, ...uint32(offset)]);
}

function uint32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

/** Control byte of a type and a size, which may lie. */
export function control(type: number, size: number): number[] {
  const [short, more] =
    size < 29
      ? [size, []]
      : size < 285
        ? [29, [size - 29]]
        : size < 65_821
          ? [30, uint32(size - 285).slice(2)]
          : [31, uint32(size - 65_821).slice(1)];
  return type < 8 ? [(type << 5) | short, ...more] : [short, type - 7, ...more];
}

export function encode(value: Written): number[] {
  if (value instanceof Raw) return [...value.bytes];
  if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    return [...control(2, bytes.length), ...bytes];
  }
  if (typeof value === "number") return [...control(6, 4), ...uint32(value)];
  if (typeof value === "boolean") return control(14, Number(value));
  if (Array.isArray(value)) return [...control(11, value.length), ...value.flatMap(encode)];
  const entries = Object.entries(value);
  return [...control(7, entries.length), ...entries.flatMap(([key, one]) => [...encode(key), ...encode(one)])];
}

export interface MmdbSpec {
  /** Network -> record: `203.0.113.0/24`, `2001:db8::/32`. */
  readonly networks: Readonly<Record<string, Written>>;
  readonly type?: string;
  readonly recordBits?: 24 | 28 | 32;
  readonly ipVersion?: 4 | 6;
  /** Takes the place of what the metadata would say. */
  readonly metadata?: Readonly<Record<string, Written>>;
}

/** The bytes of a database, built on 2026-08-01. */
export function buildMmdb({ networks, type = "Test-Country", recordBits = 28, ipVersion = 6, metadata = {} }: MmdbSpec): Buffer {
  const data: number[] = [];
  // A node is its two branches; a record stands as the negative of its offset, minus one.
  const nodes: [number | undefined, number | undefined][] = [[undefined, undefined]];
  for (const [network, record] of Object.entries(networks)) {
    const [address, prefix] = network.split("/") as [string, string];
    const bytes = addressBytes(address)!;
    const isPadded = bytes.length === 4 && ipVersion === 6;
    const bits = [...(isPadded ? new Array<number>(12).fill(0) : []), ...bytes].flatMap(byte =>
      Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1),
    );
    const length = Number(prefix) + (isPadded ? 96 : 0);
    let node = 0;
    for (let i = 0; i < length - 1; i++) {
      const side = bits[i] as 0 | 1;
      if (nodes[node]![side] === undefined) nodes[node]![side] = nodes.push([undefined, undefined]) - 1;
      node = nodes[node]![side]!;
    }
    nodes[node]![bits[length - 1] as 0 | 1] = -data.length - 1;
    data.push(...encode(record));
  }
  const value = (branch: number | undefined) =>
    branch === undefined ? nodes.length : branch < 0 ? nodes.length + 16 + (-branch - 1) : branch;
  const tree = nodes.flatMap(([left, right]) => {
    const [a, b] = [uint32(value(left)), uint32(value(right))];
    if (recordBits === 32) return [...a, ...b];
    const middle = recordBits === 28 ? [(a[0]! << 4) | b[0]!] : [];
    return [...a.slice(1), ...middle, ...b.slice(1)];
  });
  const info = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: Date.UTC(2026, 7, 1) / 1000,
    database_type: type,
    description: { en: "made by a test" },
    ip_version: ipVersion,
    languages: ["en"],
    node_count: nodes.length,
    record_size: recordBits,
    ...metadata,
  });
  return Buffer.from([...tree, ...new Array<number>(16).fill(0), ...data, ...Buffer.from("\xab\xcd\xefMaxMind.com", "latin1"), ...info]);
}
