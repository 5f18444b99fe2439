/** Sets of logs from literal events, for tests of what walks event tables. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LogSet, readLogSet } from "../../lib/logs/log-set.ts";

/** One line of a log: `eventid` without "cowrie.", `at` in seconds since 2024-03-01T12:00:00Z. */
export interface LogEvent {
  readonly eventid: string;
  readonly at: number;
  readonly [key: string]: unknown;
}

export const NOON_MS = Date.UTC(2024, 2, 1, 12);

/** The line as Cowrie would write it; session "s1", sensor "a" and address 192.0.2.1 unless told otherwise. */
export function toLine({ eventid, at, ...rest }: LogEvent): string {
  const timestamp = new Date(NOON_MS + Math.round(at * 1000)).toISOString();
  return JSON.stringify({
    eventid: `cowrie.${eventid}`,
    timestamp,
    session: "s1",
    sensor: "a",
    src_ip: "192.0.2.1",
    ...rest,
  });
}

/** Read logs of these events; one file per list. */
export async function readEvents(...logs: readonly (readonly LogEvent[])[]): Promise<LogSet & Disposable> {
  const folder = mkdtempSync(join(tmpdir(), "cowrie-events-"));
  logs.forEach((events, i) =>
    writeFileSync(join(folder, `cowrie.json.2024-03-0${i + 1}`), events.map(event => `${toLine(event)}\n`).join("")),
  );
  const set = await readLogSet([folder], { mode: "write", keepsTables: true, wantsSessions: true, jobs: 1, onNotice: () => {}, outputs: [] });
  return {
    ...set,
    [Symbol.dispose]: () => {
      set[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
