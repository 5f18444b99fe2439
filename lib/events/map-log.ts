/**
 * A log to its event table: reads the text in blocks, cuts it at line ends, and counts how every line ended.
 */
import { pause } from "../process/pause.ts";
import type { RowWatcher } from "./event-rows.ts";
import type { BuiltEventTable, EventTableInfo } from "./event-table.ts";
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
  /** Sees the rows while the kernel has them. */
  readonly watcher?: RowWatcher | undefined;
  /** Read every line with JSON.parse; for checking the kernel. */
  readonly plainOnly?: boolean;
}

export interface MappedLog {
  readonly info: EventTableInfo;
  /** The caller closes it. */
  readonly table: BuiltEventTable;
}

/**
 * Map a log.
 *
 * @param path Name of the log, for people.
 * @param text Is read to its end and left open.
 * @returns The table of its events; damage of compressed data is told in `info.source.damage`, not thrown.
 */
export async function mapLog(path: string, text: TextStream, options: MapOptions = {}): Promise<MappedLog> {
  const { onReject, onProgress, lineHashes = false, plainOnly = false, watcher } = options;
  using reader = new LineReader({ plainOnly, lineHashes, onReject, watcher });
  const hash = new TextHash();
  let buffer: Uint8Array = new Uint8Array(0);
  /** Bytes of an unfinished line at the start of the buffer. */
  let carried = 0;
  /** The line being read is over the limit: its bytes are passed on and forgotten up to the next LF. */
  let isSkipping = false;
  let headHash = "";
  let head: string | undefined;
  let damage: string | undefined;
  let blocks = 0;

  for (;;) {
    buffer = reader.roomFor(carried + BLOCK_BYTES, carried);
    let n = 0;
    try {
      n = await text.read(buffer, carried, BLOCK_BYTES);
    } catch (error) {
      damage = `${text.compression} data damaged after ${hash.sizeBytes} bytes of text: ${(error as Error).message}`;
    }
    if (n === 0) break;
    const end = carried + n;
    hash.add(buffer.subarray(carried, end));
    if (headHash === "") headHash = hashHead(buffer.subarray(0, end));

    let start = 0;
    // A carried line is the only one that can be long: every other one began in this block.
    if (isSkipping || carried + BLOCK_BYTES > LINE_MAX_BYTES) {
      const lf = buffer.subarray(0, end).indexOf(LF);
      const lineEnd = lf < 0 ? end : lf;
      if (isSkipping || lineLength(buffer, lineEnd) > LINE_MAX_BYTES) {
        if (!isSkipping) rejectLongLine(reader);
        onReject?.(reader.counts.lines, buffer.subarray(0, lineEnd));
        isSkipping = lf < 0;
        start = lf < 0 ? end : lf + 1;
      }
    }
    const linesEnd = buffer.subarray(0, end).lastIndexOf(LF) + 1;
    if (linesEnd > start) {
      if (reader.counts.lines === 0) {
        // Where the first line gives no event, the file before this one may hold its other half.
        const firstEnd = buffer.indexOf(LF);
        reader.readLines(0, firstEnd + 1);
        if (reader.counts.rejected === 1 && firstEnd <= FRAGMENT_MAX_BYTES) {
          const line = new TextDecoder().decode(reader.roomFor(end, end).subarray(0, firstEnd));
          if (!isJson(line)) head = line;
        }
        start = firstEnd + 1;
      }
      reader.readLines(start, linesEnd);
      start = linesEnd;
      // Reading lines may have taken the room elsewhere.
      buffer = reader.roomFor(end, end);
    }
    // A run of NUL bytes, left by a log truncated under its writer, may be longer than any line: one stands for all.
    if (buffer[start] === 0) while (start + 1 < end && buffer[start + 1] === 0) start++;
    buffer.copyWithin(0, start, end);
    carried = end - start;
    onProgress?.(hash.sizeBytes);
    // Reading a plain file awaits nothing that takes time; without a pause no signal would be heard before its end.
    if (++blocks % BLOCKS_PER_PAUSE === 0) await pause();
  }

  let tail: string | undefined;
  if (carried > 0 && !isSkipping) {
    const canGrow = text.compression === "none";
    tail = readTail(reader, buffer.slice(0, carried), canGrow, onReject);
    if (reader.counts.lines === 1 && tail !== undefined) head = tail;
  }
  // A last piece that gave an event, or is being skipped, cannot be taken back.
  const isWhole = text.compression === "none" && damage === undefined && !isSkipping;
  const canResume = isWhole && (carried === 0 || reader.counts.pending === 1);
  const { table, firstSeenUs, lastSeenUs } = reader.finish();
  return {
    table,
    info: {
      mappingVersion: MAPPING_VERSION,
      source: {
        path,
        sizeBytes: hash.sizeBytes,
        headHash,
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
