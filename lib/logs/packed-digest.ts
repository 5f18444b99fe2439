/**
 * What was made of a log, its digest, packed: a third of it, for a tenth of what reading the log costs. So it waits until it is added
 * up, as it takes many times as much unpacked.
 *
 * Rows, sessions and who led what lie side by side, each packed by itself: who adds up rows looks at no session.
 *
 * Tested in `test/lib/logs/log-digests.test.ts`.
 */
import { pack, type Packed, readPart, unpack } from "../process/packed-store.ts";
import type { LogSessions } from "./log-sessions.ts";
import type { ReducedRows } from "../reduced/reduced-builder.ts";

/** Bytes of a length: of rows and of sessions, at the start of a digest. */
const LENGTH_BYTES = 8;

export interface LogDigest {
  readonly rows: ReducedRows;
  /** See `LogResult`. */
  readonly sessions: readonly LogSessions[];
}

export function packDigest({ rows, sessions }: LogDigest): Uint8Array {
  const parts = [rows, sessions.map(({ reach: _, reachAddresses: __, ...log }) => log), sessions.map(toLed)].map(pack);
  const head = Buffer.alloc(2 * LENGTH_BYTES);
  head.writeDoubleLE(parts[0]!.length, 0);
  head.writeDoubleLE(parts[1]!.length, LENGTH_BYTES);
  return Buffer.concat([head, ...parts]);
}

/** How far the sessions of a log came: all that is looked at to tell who led a peak. */
export type Led = Pick<LogSessions, "sensors" | "reach" | "reachAddresses">;

function toLed({ sensors, reach, reachAddresses }: LogSessions): Led {
  return { sensors, reach, reachAddresses };
}

/** Undo {@link packDigest}, each part when it is asked for. Of bytes that are our own alone. */
export function unpackDigest(packed: Packed): LogDigest & { readonly led: readonly Led[] } {
  const start = 2 * LENGTH_BYTES;
  const lengthAt = (at: number) => Buffer.from(readPart(packed, at, at + LENGTH_BYTES)).readDoubleLE();
  const second = start + lengthAt(0);
  const third = second + lengthAt(LENGTH_BYTES);
  return {
    get rows() {
      return unpack(packed, start, second) as ReducedRows;
    },
    get sessions() {
      const led = unpack(packed, third) as readonly Led[];
      return (unpack(packed, second, third) as readonly Omit<LogSessions, keyof Led>[]).map((log, i) => ({ ...log, ...led[i]! }));
    },
    get led() {
      return unpack(packed, third) as readonly Led[];
    },
  };
}
