/**
 * A log to its event table: reads the text in blocks, cuts it at line ends, and counts how every line ended.
 */
import { pause } from "../process/pause.ts";
import type { RowWatcher } from "./event-rows.ts";
import { LineReader } from "./line-reader.ts";
import { BLOCK_BYTES, type TextStream } from "./log-text.ts";
import { isJson } from "./records.ts";
import { MAPPING_VERSION } from "./schema.ts";
import type { FileIdentity } from "./source.ts";
import { hashHead, TextHash } from "./text-hash.ts";

/** A longer line is rejected. */
export const LINE_MAX_BYTES = 16 << 20;

/** Halves of a cut line longer than this are not kept for joining. */
const FRAGMENT_MAX_BYTES = 1 << 20;

/** Blocks read between two pauses: some tens of milliseconds. */
const BLOCKS_PER_PAUSE = 16;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Called with each line that gave no event, or with its pieces in order when it is longer than the limit.
 *
 * @param line From 1.
 */
export type RejectListener = (line: number, bytes: Uint8Array) => void;

export interface MapOptions {
  /** What the file system said of the log before it was opened. */
  readonly file?: FileIdentity;
  /** Keep a hash of every line, to find lines that another log holds too. */
  readonly lineHashes?: boolean;
  readonly onReject?: RejectListener;
  /** Called after each block with the bytes of text read so far. */
  readonly onProgress?: (textBytes: number) => void;
  /** Note where to go on when the log has grown. */
  readonly wantsResume?: boolean;
  /** See the rows while the kernel has them. */
  readonly watchers?: readonly RowWatcher[];
  /** Read every line with JSON.parse; for checking the kernel. */
  readonly plainOnly?: boolean;
}

/**
 * Map a log.
 *
 * @param path Name of the log, for people.
 * @param text Is read to its end and left open.
 * @returns The table of its events; damage of compressed data is told in `info.source.damage`, not thrown.
 */
export async function mapLog(path: string, text: TextStream, options: MapOptions = {}) {
  const { onReject, onProgress, lineHashes = false, plainOnly = false, watchers } = options;
  using reader = new LineReader({ plainOnly, lineHashes, onReject, watchers });
  const lines = new BlockLines(reader, onReject);
  const { hash } = lines;
  let damage: string | undefined;
  for (let blocks = 1; ; blocks++) {
    let n = 0;
    try {
      n = await text.read(lines.room(), lines.carried, BLOCK_BYTES);
    } catch (error) {
      damage = `${text.compression} data damaged after ${hash.sizeBytes} bytes of text: ${(error as Error).message}`;
    }
    if (n === 0) break;
    lines.read(n);
    onProgress?.(hash.sizeBytes);
    // Reading a plain file awaits nothing that takes time; without a pause no signal would be heard before its end.
    if (blocks % BLOCKS_PER_PAUSE === 0) await pause();
  }
  const tail = lines.readLast(text.compression === "none");
  const { head, carried } = lines;
  // A last piece that gave an event, or is being skipped, cannot be taken back.
  const isWhole = text.compression === "none" && damage === undefined && !lines.isSkipping;
  const canResume = isWhole && (carried === 0 || reader.counts.pending === 1);
  const { table, firstSeenUs, lastSeenUs } = reader.finish();
  return {
    /** The caller closes it. */
    table,
    info: {
      mappingVersion: MAPPING_VERSION,
      source: {
        path,
        sizeBytes: hash.sizeBytes,
        headHash: lines.headHash,
        wholeHash: hash.digest(),
        counts: reader.counts,
        ...(table.rows === 0 ? {} : { firstSeenUs, lastSeenUs }),
        ...(damage === undefined ? {} : { damage }),
        ...(head === undefined ? {} : { head }),
        ...(tail === undefined ? {} : { tail }),
      },
      hasLineHashes: lineHashes,
      ...(options.wantsResume && canResume
        ? { resume: { blockHash: hash.blockHash, lineEnd: hash.sizeBytes - carried } }
        : {}),
      ...(options.file === undefined ? {} : { file: options.file }),
    },
  };
}

/** The lines of a text that comes in blocks. */
class BlockLines {
  readonly hash = new TextHash();
  headHash = "";
  /** The first line where it gives no event: the file before this one may hold its other half. */
  head: string | undefined;
  /** Bytes of an unfinished line at the start of the buffer. */
  carried = 0;
  /** The line being read is over the limit: its bytes are passed on and forgotten up to the next LF. */
  isSkipping = false;
  readonly #reader: LineReader;
  readonly #onReject: RejectListener | undefined;
  #buffer: Uint8Array = new Uint8Array(0);

  constructor(reader: LineReader, onReject: RejectListener | undefined) {
    this.#reader = reader;
    this.#onReject = onReject;
  }

  /** Where the next block belongs, behind what is carried. */
  room(): Uint8Array {
    return (this.#buffer = this.#reader.roomFor(this.carried + BLOCK_BYTES, this.carried));
  }

  /** Read the lines that end in the block that was put there. */
  read(bytes: number): void {
    const end = this.carried + bytes;
    this.hash.add(this.#buffer.subarray(this.carried, end));
    if (this.headHash === "") this.headHash = hashHead(this.#buffer.subarray(0, end));
    let start = this.#passOverLong(end);
    const linesEnd = this.#buffer.subarray(0, end).lastIndexOf(LF) + 1;
    if (linesEnd > start) {
      if (this.#reader.counts.lines === 0) start = this.#readFirst(end);
      this.#reader.readLines(start, linesEnd);
      start = linesEnd;
      // Reading lines may have taken the room elsewhere.
      this.#buffer = this.#reader.roomFor(end, end);
    }
    // A run of NUL bytes, left by a log truncated under its writer, may be longer than any line: one stands for all.
    if (this.#buffer[start] === 0) while (start + 1 < end && this.#buffer[start + 1] === 0) start++;
    this.#buffer.copyWithin(0, start, end);
    this.carried = end - start;
  }

  /** Where the first line starts that is not over the limit. */
  #passOverLong(end: number): number {
    // A carried line is the only one that can be long: every other one began in this block.
    if (!this.isSkipping && this.carried + BLOCK_BYTES <= LINE_MAX_BYTES) return 0;
    const lf = this.#buffer.subarray(0, end).indexOf(LF);
    const lineEnd = lf < 0 ? end : lf;
    if (!this.isSkipping && lineLength(this.#buffer, lineEnd) <= LINE_MAX_BYTES) return 0;
    if (!this.isSkipping) rejectLongLine(this.#reader);
    this.#onReject?.(this.#reader.counts.lines, this.#buffer.subarray(0, lineEnd));
    this.isSkipping = lf < 0;
    return lf < 0 ? end : lf + 1;
  }

  /** @returns Where the second line starts. */
  #readFirst(end: number): number {
    const firstEnd = this.#buffer.indexOf(LF);
    this.#reader.readLines(0, firstEnd + 1);
    if (this.#reader.counts.rejected === 1 && firstEnd <= FRAGMENT_MAX_BYTES) {
      const line = new TextDecoder().decode(this.#reader.roomFor(end, end).subarray(0, firstEnd));
      if (!isJson(line)) this.head = line;
    }
    return firstEnd + 1;
  }

  /** Read what no LF stands behind; see {@link readTail}. */
  readLast(canGrow: boolean): string | undefined {
    if (this.carried === 0 || this.isSkipping) return undefined;
    const tail = readTail(this.#reader, this.#buffer.slice(0, this.carried), canGrow, this.#onReject);
    if (this.#reader.counts.lines === 1 && tail !== undefined) this.head = tail;
    return tail;
  }
}

function rejectLongLine(reader: LineReader): void {
  reader.counts.lines++;
  reader.counts.rejected++;
}

/**
 * Read the last piece, behind which no LF stands.
 *
 * @param canGrow The rest of it may still be written: without an event it is pending then, not rejected.
 * @returns Its text if it does not parse: its other half may open the next file.
 */
function readTail(
  reader: LineReader,
  bytes: Uint8Array,
  canGrow: boolean,
  onReject: RejectListener | undefined,
): string | undefined {
  const { counts } = reader;
  if (lineLength(bytes, bytes.length) > LINE_MAX_BYTES) {
    rejectLongLine(reader);
    onReject?.(counts.lines, bytes);
    return undefined;
  }
  const { events, rejected } = reader.readPlain(bytes, true);
  if (events === 0 && rejected > 0 && canGrow) {
    counts.rejected -= rejected;
    counts.pending = 1;
  } else if (rejected > 0) {
    onReject?.(counts.lines, bytes);
  }
  if (events > 0 || rejected === 0 || bytes.length > FRAGMENT_MAX_BYTES) return undefined;
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return isJson(text) ? undefined : text;
}

/** Bytes of a line that starts at 0 and ends at `end`, without the NUL bytes before it and a CR behind it. */
function lineLength(bytes: Uint8Array, end: number): number {
  let start = 0;
  while (start < end && bytes[start] === 0) start++;
  return end - start - (end > start && bytes[end - 1] === CR ? 1 : 0);
}
