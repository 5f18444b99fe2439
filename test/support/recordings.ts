/** Recordings as Cowrie's `ttylog.py` writes them, and the one of the example logs. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FIXTURES_FOLDER } from "./example-fleet.ts";

const OPEN = 1;
const CLOSE = 2;
const WRITE = 3;
const DIRECTIONS = { input: 1, output: 2, command: 3 };

/** A record as it is in a file; the head is `<iLiiLL`. */
export function toRecord(op: number, direction: number, us: number, data: Uint8Array): Uint8Array {
  const record = new Uint8Array(24 + data.length);
  const view = new DataView(record.buffer);
  view.setInt32(0, op, true);
  view.setInt32(8, data.length, true);
  view.setInt32(12, direction, true);
  view.setUint32(16, Math.floor(us / 1e6), true);
  view.setUint32(20, us % 1e6, true);
  record.set(data, 24);
  return record;
}

/** A recording that is written as the session goes. */
export class Recorder {
  us: number;
  readonly #records: Uint8Array[] = [];

  constructor(startUs: number) {
    this.us = startUs;
    this.#records.push(toRecord(OPEN, 0, startUs, new Uint8Array(0)));
  }

  write(direction: keyof typeof DIRECTIONS, data: string | Uint8Array, afterMs = 0): this {
    this.us += afterMs * 1000;
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    this.#records.push(toRecord(WRITE, DIRECTIONS[direction], this.us, bytes));
    return this;
  }

  /** Keys, each with its echo. */
  type(text: string, msPerKey: number): this {
    for (const key of text) this.write("input", key, msPerKey).write("output", key === "\r" ? "\r\n" : key, 1);
    return this;
  }

  /** The file; without its close record where the machine went down. */
  finish(isClosed = true): Uint8Array {
    if (isClosed) this.#records.push(toRecord(CLOSE, 0, this.us, new Uint8Array(0)));
    return Buffer.concat(this.#records);
  }
}

/** Session 3d7d1fd7e7ee of the example logs, and the name that its log says. */
export const EXAMPLE_RECORDING = "df9faed2fe474d7813821753befd57b3bc09cde68bef0ece3a424615c50c500b";

export function exampleRecording(): Uint8Array {
  const prompt = "\x1b[4hroot@svr04:~# ";
  return new Recorder(Date.UTC(2026, 6, 20, 23, 58, 41) * 1000)
    .write("output", prompt, 50)
    .type("uptime # before midnight", 130)
    .type("\r", 130)
    .write("output", " 23:59:11 up 12 days,  3:41,  1 user,  load average: \x1b[33m0.08\x1b[0m, 0.03, 0.05\r\n", 20)
    .write("output", prompt, 5)
    .type("ls /tmp\r", 160)
    .write("output", "\x1b[1;34mcache\x1b[0m  \x1b[1;32mrun.sh\x1b[0m  notes.txt\r\n", 20)
    .write("output", prompt, 5)
    .type("last # after midnight", 190)
    .type("\r", 170_000)
    .write("output", "root     pts/0        203.0.113.251    Mon Jul 20 23:58   \x1b[7mstill logged in\x1b[0m\r\n", 20)
    .write("output", prompt, 5)
    .finish();
}

/** Recordings of the example logs. */
export const RECORDINGS = join(FIXTURES_FOLDER, "tty");

if (import.meta.main) {
  mkdirSync(RECORDINGS, { recursive: true });
  writeFileSync(join(RECORDINGS, EXAMPLE_RECORDING), exampleRecording());
}
