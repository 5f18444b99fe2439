/**
 * The sessions of a log gathered in the kernel while it is read: what the kernel is told of event ids, and its columns.
 *
 * Tested in `test/lib/logs/kernel-sessions.test.ts`.
 */
import type { Kernel } from "./kernel.ts";
import {
  ACTIVITY_COUNT,
  LENGTH_STEPS,
  SIZE_BYTES,
  SIZE_CONNECTS,
  SIZE_CREDENTIALS,
  SIZE_INPUTS,
  SIZE_LEFT,
  SIZE_LENGTHS,
  SIZE_REACHED,
  SIZE_SENSORS,
  SIZE_SESSIONS,
  SIZE_TRACES,
  SIZE_TYPED,
} from "./layout.ts";

/** What the events of an id tell, see the layout. */
export interface KernelTold {
  readonly tells: number;
  /** How far a session comes by them. */
  readonly reach: number;
  /** What they are counted as, a bit each. */
  readonly activities: number;
}

/** The columns of `LogSessions`, in the codes of the log; all arrays lie in one buffer of their own. */
export type KernelColumns = ReturnType<KernelGathering["take"]>;

export class KernelGathering {
  readonly #kernel: Kernel;

  /**
   * To be made behind `startLog`; it is good until the next.
   *
   * @param steps Upper ends of the steps of length, in seconds.
   * @param heldMax Sessions, their days, commands and traces that are held at most, some 100 bytes each.
   */
  constructor(kernel: Kernel, steps: readonly number[], heldMax: number) {
    this.#kernel = kernel;
    const { exports } = kernel;
    const room = exports.scratchFor(LENGTH_STEPS * 8);
    // It need not lie at a multiple of eight.
    const bytes = new Uint8Array(Float64Array.from(steps).buffer, 0, LENGTH_STEPS * 8);
    new Uint8Array(exports.memory.buffer, room, bytes.length).set(bytes);
    exports.startSessions(heldMax);
  }

  /** Name what the next event id tells. */
  addEventid({ tells, reach, activities }: KernelTold): void {
    this.#kernel.exports.addTold(tells, reach, activities);
  }

  /**
   * Look at the rows that came since the last call; every event id that the log has so far must be named.
   *
   * @returns False if the log has too much for the kernel: what was gathered of it is of no use.
   */
  read(): boolean {
    return this.#kernel.guard(() => this.#kernel.exports.readSessionRows()) !== 0;
  }

  /** All that was gathered; nothing may be read afterwards. */
  take() {
    const { exports } = this.#kernel;
    const start = this.#kernel.guard(() => exports.writeSessions());
    const size = (what: number) => exports.sessionSize(what);
    const buffer = exports.memory.buffer.slice(start, start + size(SIZE_BYTES)) as ArrayBuffer;
    const [count, reached] = [size(SIZE_SESSIONS), size(SIZE_REACHED)];
    let at = 0;
    const floats = (length: number) => new Float64Array(buffer, (at += length * 8) - length * 8, length);
    const words = (length: number) => new Int32Array(buffer, (at += length * 4) - length * 4, length);
    const tuples = <Name extends string>(what: number, ...names: Name[]) =>
      Object.fromEntries(names.map(name => [name, words(size(what))])) as Record<Name, Int32Array>;
    // In the order in which they lie.
    const times = { firstUs: floats(count), lastUs: floats(count), typedUs: floats(count) };
    const reachTimes = { connectUs: floats(reached), firstUs: floats(reached) };
    return {
      ...times,
      ...tuples(SIZE_SESSIONS, "session", "sensor", "address", "hassh", "version", "credential"),
      typed: { starts: words(count + 1), values: words(size(SIZE_TYPED)) },
      left: { starts: words(count + 1), values: words(size(SIZE_LEFT)) },
      /** Codes of the texts in {@link typed}, and of the sensors, -1 = none. */
      inputs: words(size(SIZE_INPUTS)),
      sensors: words(size(SIZE_SENSORS)),
      credentials: tuples(SIZE_CREDENTIALS, "username", "password"),
      traces: tuples(SIZE_TRACES, "kind", "code", "beside"),
      lengths: tuples(SIZE_LENGTHS, "sensor", "day", "step", "count"),
      reach: {
        ...tuples(SIZE_REACHED, "session", "sensor", "address", "day", "bits", "count"),
        ...reachTimes,
        done: Array.from({ length: ACTIVITY_COUNT }, () => words(reached)),
      },
      isWhole: new Uint8Array(buffer, at, count),
      connects: size(SIZE_CONNECTS),
    };
  }
}
