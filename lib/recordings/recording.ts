/**
 * Recordings of terminals as Cowrie writes them (`ttylog`): records one behind the other, each a head of 24 bytes and its data.
 *
 * The head is Python's `<iLiiLL`: what happened, terminal (always 0), length of the data, direction, seconds and microseconds
 * since 1970. Cowrie wrote it, but the data are the attacker's, and files are copied from machines that crash: whatever does
 * not fit ends the recording, and what stood before it counts.
 */
import { formatBytes, formatNumber } from "../text/format.ts";

/** A file that is no recording at all. */
export class NoRecordingError extends Error {
  override readonly name = "NoRecordingError";
}

/** Who the bytes came from: the keyboard, the shell, or the command line of a session without a terminal. */
export type Direction = "input" | "output" | "command";

export interface RecordedData {
  /** Since the recording began; never less than that of the record before. */
  readonly us: number;
  readonly direction: Direction;
  readonly bytes: Uint8Array;
}

export interface Recording {
  /** In the order of the file. */
  readonly data: readonly RecordedData[];
  /** When it began, microseconds since 1970-01-01 UTC. */
  readonly startUs: number;
  /** From the first record to the last. */
  readonly durationUs: number;
  /** A single command was run without a terminal: its line ends are bare line feeds. */
  readonly isExec: boolean;
  /** Why it ends before its close record; undefined where it is whole. */
  readonly cut: string | undefined;
}

const HEAD_BYTES = 24;
const OPEN = 1;
const CLOSE = 2;
const WRITE = 3;
const DIRECTIONS: ReadonlyMap<number, Direction> = new Map([
  [1, "input"],
  [2, "output"],
  [3, "command"],
]);

/** Largest file that is looked at; what a person types and sees in a session is thousands of times less. */
export const RECORDING_MAX_BYTES = 16 << 20;

/**
 * Read a recording as far as it goes.
 *
 * @param bytes The file from its beginning; the result holds views of it.
 * @param isWhole False where the file goes on behind `bytes`.
 * @throws {NoRecordingError} if it does not begin with a record.
 */
export function parseRecording(bytes: Uint8Array, isWhole = true): Recording {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data: RecordedData[] = [];
  let at = 0;
  let startUs = NaN;
  let us = 0;
  let cut: string | undefined = "it has no close record";
  while (at < bytes.length) {
    const head = readHead(view, at);
    if (typeof head === "string") {
      cut = isWhole ? head : `only its first ${formatBytes(RECORDING_MAX_BYTES)} are read`;
      break;
    }
    if (Number.isNaN(startUs)) startUs = head.us;
    // A clock that was set back does not turn time around.
    us = Math.max(us, head.us - startUs);
    at += HEAD_BYTES + head.length;
    if (head.op === CLOSE) {
      cut = at < bytes.length ? `${formatNumber(bytes.length - at)} bytes follow its close record` : undefined;
      break;
    }
    if (head.op === WRITE && head.length > 0)
      data.push({ us, direction: head.direction!, bytes: bytes.subarray(at - head.length, at) });
  }
  if (Number.isNaN(startUs))
    throw new NoRecordingError(bytes.length === 0 ? "it is empty" : "it does not begin with a record of Cowrie's ttylog");
  return {
    data,
    startUs,
    durationUs: us,
    isExec: data.some(({ direction }) => direction === "command"),
    cut,
  };
}

interface Head {
  readonly op: number;
  readonly length: number;
  /** Of a write; undefined in others. */
  readonly direction: Direction | undefined;
  readonly us: number;
}

/** The head at an offset, or why there is none. */
function readHead(view: DataView, at: number): Head | string {
  const rest = view.byteLength - at;
  if (rest < HEAD_BYTES) return "its last record is cut";
  const op = view.getInt32(at, true);
  const length = view.getInt32(at + 8, true);
  const direction = DIRECTIONS.get(view.getInt32(at + 12, true));
  const micros = view.getUint32(at + 20, true);
  if (op < OPEN || op > WRITE + 1 || length < 0 || micros > 999_999 || (op === WRITE && direction === undefined))
    return `there is no record at byte ${formatNumber(at)}`;
  if (length > rest - HEAD_BYTES) return "its last record is cut";
  return { op, length, direction, us: view.getUint32(at + 16, true) * 1e6 + micros };
}
