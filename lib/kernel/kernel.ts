/**
 * The kernel: WebAssembly with SIMD that reads lines of Cowrie's JSON into columns, and what TypeScript needs to speak to it.
 *
 * A kernel keeps its memory for the life of its thread and is lent to one log at a time. Its memory grows while it reads,
 * which ends every view of it: a view is good until the next call.
 */
import { kernelBytes } from "./kernel-bytes.ts";
import {
  DICTIONARY_ARENA,
  DICTIONARY_OFFSETS,
  DICTIONARY_SIZE,
  PACKED_NULLS,
  PACKED_TIMESTAMP,
  PACKED_VALIDITY,
  PACKED_VALUES,
  PACKED_WIDTH,
  TEXT_COLUMN_COUNT,
  UINT16_COLUMNS,
  UINT32_COLUMNS,
} from "./layout.ts";
import type { Texts } from "../columns/dictionary.ts";
import type { PackedColumn, PackedValues } from "../columns/packed-column.ts";

/** What the kernel is told of the schema. */
export interface KernelSetup {
  /** Keys that are not for `extra`. */
  readonly keys: readonly { readonly name: string; readonly action: number; readonly column: number }[];
  /** Event ids whose message is left out. */
  readonly rendered: readonly string[];
}

/** As `assembly/exports.ts` has them. */
export interface Exports {
  readonly memory: WebAssembly.Memory;
  seeds(): number;
  initialize(): void;
  nameKey(length: number, action: number, column: number): void;
  nameRendered(length: number): void;
  endSetup(): void;
  startLog(lines: number): void;
  scratchFor(length: number): number;
  inputFor(bytes: number, kept: number): number;
  read(at: number, end: number): number;
  readStatus(): number;
  rows(): number;
  lines(): number;
  openRow(): void;
  putText(column: number, length: number): void;
  putNumber(column: number, number: number): void;
  closeRow(us: number): void;
  pack(): number;
  packedStart(): number;
  packedColumn(column: number): number;
  startBatch(): void;
  dictionary(column: number): number;
  firstSeenUs(): number;
  lastSeenUs(): number;
  // By `reduction.ts`:
  startReduction(robotMaxSeconds: number, sinceDay: number, untilDay: number, heldMax: number): void;
  setColumns(kind: number, keys: number, hasAddresses: number): void;
  nameRule(): void;
  addEventid(rule: number): void;
  addSensor(code: number): void;
  reduceRows(): number;
  findElements(): number;
  otherAddresses(): number;
  setElement(code: number, element: number): void;
  writeReduced(): number;
  rowsOfKind(kind: number): number;
  reducedSets(): number;
  reducedBytes(): number;
  // By `gathering.ts`:
  startSessions(heldMax: number): void;
  addTold(tells: number, reach: number, activities: number): void;
  readSessionRows(): number;
  writeSessions(): number;
  sessionSize(what: number): number;
}

/** A kernel whose memory has grown beyond is not kept: memory is never given back but with all of it. */
const KEPT_MAX_BYTES = 256 << 20;

const SEED_BYTES = 32;

const encoder = new TextEncoder();

let module: WebAssembly.Module | undefined;
let isLooked = false;

/** The compiled kernel, to be sent to other threads; undefined where it is not to be used, or SIMD is not to be had. */
export function kernelModule(): WebAssembly.Module | undefined {
  if (isLooked) return module;
  isLooked = true;
  if (Bun.env.COWRIE_PLAIN === "1") return undefined;
  try {
    module = new WebAssembly.Module(kernelBytes());
  } catch (error) {
    // A processor without SIMD, an engine without WebAssembly: the plain path does all it does.
    if (!(error instanceof WebAssembly.CompileError || error instanceof ReferenceError)) throw error;
  }
  return module;
}

/** Use a kernel that another thread has compiled; what is compiled further while it runs is then done once for all. */
export function adoptKernel(compiled: WebAssembly.Module | undefined): void {
  module = compiled;
  isLooked = true;
}

/** Kernels of this thread that are not lent. */
const spare: Kernel[] = [];

/**
 * Borrow a kernel, with nothing of any log in it.
 *
 * @param setup The same in every call.
 * @returns undefined where there is none, see {@link kernelModule}.
 */
export function borrowKernel(setup: () => KernelSetup): Kernel | undefined {
  const compiled = kernelModule();
  return compiled && (spare.pop() ?? new Kernel(compiled, setup()));
}

/** Give a kernel back; one that failed must not be. */
export function returnKernel(kernel: Kernel): void {
  if (kernel.memoryBytes <= KEPT_MAX_BYTES) spare.push(kernel);
}

export class Kernel {
  /** What is called beyond what is wrapped below. */
  readonly calls: Pick<Exports, "startLog" | "readStatus" | "rows" | "openRow" | "putNumber" | "closeRow" | "startBatch">;
  readonly #exports: Exports;

  constructor(compiled: WebAssembly.Module, { keys, rendered }: KernelSetup) {
    const exports = new WebAssembly.Instance(compiled, {}).exports as unknown as Exports;
    this.calls = this.#exports = exports;
    crypto.getRandomValues(this.#bytes(exports.seeds(), SEED_BYTES));
    exports.initialize();
    for (const { name, action, column } of keys) exports.nameKey(this.#writeText(name), action, column);
    for (const id of rendered) exports.nameRendered(this.#writeText(id));
    exports.endSetup();
  }

  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  /**
   * Room for text.
   *
   * @param bytes How many it takes.
   * @param kept Bytes at the start of the room before that stand at its start again.
   */
  roomFor(bytes: number, kept: number): Uint8Array {
    return this.#bytes(this.#exports.inputFor(bytes, kept), bytes);
  }

  /**
   * Read lines of the room; `calls.readStatus` tells why it stopped.
   *
   * @returns Where the line starts that was not read.
   */
  read(start: number, end: number): number {
    const room = this.#exports.inputFor(0, 0);
    return this.guard(() => this.#exports.read(room + start, room + end)) - room;
  }

  /** Give the row that is open a text. */
  putText(column: number, text: string): void {
    this.guard(() => this.#exports.putText(column, this.#writeText(text)));
  }

  /** The line, without its LF, that `read` made a row of. */
  lineOf(row: number): Uint8Array {
    const [start, end] = new Uint32Array(this.#exports.memory.buffer, this.#exports.lines() + row * 8, 2);
    return this.#bytes(start!, end! - start!);
  }

  /** A copy of the batch; it goes on being filled until `startBatch`. */
  pack() {
    const exports = this.#exports;
    const rows = exports.rows();
    const bytes = exports.pack();
    const start = exports.packedStart();
    const { buffer } = exports.memory;
    const copy = buffer.slice(start, start + bytes);
    const words = new Uint32Array(buffer);
    const columns = Array.from({ length: PACKED_TIMESTAMP + 1 }, (_, column): PackedColumn | undefined => {
      const at = exports.packedColumn(column);
      const field = (offset: number) => words[(at + offset) >> 2]!;
      if (field(PACKED_WIDTH) === 0) return undefined;
      const nulls = field(PACKED_NULLS);
      const ArrayType = arrayOf(column, field(PACKED_WIDTH));
      return {
        nulls,
        // Only timestamps have none, and no row is without one.
        validity: new Uint8Array(copy, Math.max(0, field(PACKED_VALIDITY) - start), (rows + 7) >> 3),
        values: new ArrayType(copy, field(PACKED_VALUES) - start, rows),
      };
    });
    return { columns, firstSeenUs: exports.firstSeenUs(), lastSeenUs: exports.lastSeenUs() };
  }

  /** How many texts a column has. */
  textsOf(column: number): number {
    return this.#word(this.#exports.dictionary(column) + DICTIONARY_SIZE);
  }

  /** The texts of a column, until the next call. */
  textsAt(column: number): Texts {
    const { buffer } = this.#exports.memory;
    const at = this.#exports.dictionary(column);
    const size = this.#word(at + DICTIONARY_SIZE);
    const offsets = new Int32Array(buffer, this.#word(at + DICTIONARY_OFFSETS), size + 1);
    return { size, arena: new Uint8Array(buffer, this.#word(at + DICTIONARY_ARENA), offsets[size]!), offsets };
  }

  /** A copy of the texts of a column. */
  copyTexts(column: number): Texts {
    const { size, arena, offsets } = this.textsAt(column);
    return { size, arena: arena.slice(), offsets: offsets.slice() };
  }

  #word(at: number): number {
    return new Uint32Array(this.#exports.memory.buffer, at, 1)[0]!;
  }

  #bytes(at: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#exports.memory.buffer as ArrayBuffer, at, length);
  }

  /** For the files of this room: all that can be called. */
  get exports(): Exports {
    return this.#exports;
  }

  /** Put a text where the kernel takes texts from; returns its bytes. */
  #writeText(text: string): number {
    const bytes = encoder.encode(text);
    const at = this.#exports.scratchFor(bytes.length);
    this.#bytes(at, bytes.length).set(bytes);
    return bytes.length;
  }

  /** Call what may run out of memory. */
  guard<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      const held = Math.round(this.memoryBytes / 2 ** 20);
      throw new RangeError(`Cannot hold the distinct texts of one log: ${held} MiB taken, expected at most 2 GiB a column`);
    }
  }
}

/** The array that a packed column is. */
function arrayOf(column: number, width: number): new (buffer: ArrayBuffer, at: number, length: number) => PackedValues {
  if (column === PACKED_TIMESTAMP) return BigInt64Array;
  if (width === 1) return Uint8Array;
  if (width === 2) return Uint16Array;
  if (column < TEXT_COLUMN_COUNT) return Int32Array;
  return column - TEXT_COLUMN_COUNT < UINT16_COLUMNS + UINT32_COLUMNS ? Uint32Array : Float64Array;
}
