/** What is kept of logs is taken as long as it is true, and never by its own word. */
import { describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReductionParameters } from "../../../lib/events/scope.ts";
import { LogDigests, sessionsOfTables } from "../../../lib/logs/log-digests.ts";
import { type LogSetOptions, readLogSet } from "../../../lib/logs/log-set.ts";
import { unpackDigest } from "../../../lib/logs/packed-digest.ts";
import { type Packed, PackedStore } from "../../../lib/process/packed-store.ts";
import type { LogResult } from "../../../lib/logs/read-log.ts";
import { dayOf } from "../../../lib/text/time.ts";
import { NOON_MS, toLine } from "../../support/event-logs.ts";

const DAY = dayOf(NOON_MS * 1000);
const SCOPE: ReductionParameters = { robotMaxSeconds: 10 };

/** What was made of a log, whether it is packed or not. */
function unpack({ rows, sessions, digest }: Pick<LogResult, "rows" | "sessions"> & { readonly digest?: Packed | undefined }) {
  if (digest === undefined) return { rows, sessions };
  const made = unpackDigest(digest);
  return { rows: made.rows, sessions: made.sessions };
}

class Logs implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "digests-"));

  pathOf(i: number): string {
    return join(this.folder, `cowrie.json.${i}`);
  }

  /** @param sessions Of the log, so that some are larger than others. */
  write(i: number, sessions: number): void {
    const lines = Array.from({ length: sessions }, (_, n) => toLine({ eventid: "command.input", at: n, session: `s${i}-${n}`, input: `c${n} ${i}` }));
    writeFileSync(this.pathOf(i), `${lines.join("\n")}\n`);
  }

  async read(options: Partial<LogSetOptions> = {}) {
    using set = await readLogSet([this.folder], {
      mode: "continue",
      keepsTables: true,
      wantsSessions: true,
      keepsDigests: true,
      reduction: SCOPE,
      outputs: [],
      onNotice() {},
      ...options,
    });
    return { logs: set.logs.map(log => ({ ...unpack({ rows: log.rows!, sessions: log.sessions!, digest: log.digest }), source: log.source })), reused: set.reused, rejects: await Array.fromAsync(set.rejects()) };
  }

  /** What a log's digest tells of it. */
  find(i: number, reduction = SCOPE, more: object = {}) {
    const path = this.pathOf(i);
    const result = new LogDigests().find({ path, tablePath: `${path}.arrow`, reduction, isFresh: false, hasLineHashes: false, wantsSessions: true, ...more });
    return result && { ...result, ...unpack(result) };
  }

  packs(): string[] {
    return readdirSync(this.folder).filter(name => name.startsWith("cowrie-digests")).map(name => join(this.folder, name));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

describe("the digest of a log", () => {
  test("is what was made of it, and of many logs they lie in one file", async () => {
    using logs = new Logs();
    for (let i = 0; i < 5; i++) logs.write(i, 3 + i);
    const plain = await logs.read({ keepsDigests: false });
    for (let i = 0; i < 5; i++) rmSync(`${logs.pathOf(i)}.arrow`);
    const first = await logs.read();
    expect(first.logs).toEqual(plain.logs);
    expect(first.logs.map(({ rows }) => rows!.kinds.command!.rows)).toEqual([3, 4, 5, 6, 7]);
    expect(logs.packs().length).toBe(1);
    const { rows, sessions, source, isReused } = logs.find(3)!;
    expect({ rows: rows!, sessions: sessions!, source, isReused }).toEqual({ ...first.logs.find(log => log.source.path === logs.pathOf(3))!, isReused: true } as never);
    const again = await logs.read();
    expect(again.logs).toEqual(first.logs);
    expect([again.reused, logs.packs().length]).toEqual([5, 1]);
  });

  test("stays packed in place of rows and sessions, as it comes and as it is found", async () => {
    using logs = new Logs();
    logs.write(0, 3);
    logs.write(1, 9000);
    const shapes: boolean[][] = [];
    for (let run = 0; run < 2; run++) {
      using set = await readLogSet([logs.folder], { mode: "continue", wantsSessions: true, keepsDigests: true, reduction: SCOPE, outputs: [], onNotice() {} });
      for (const { rows, sessions, digest } of set.logs) shapes.push([rows, sessions, digest].map(made => made !== undefined));
    }
    expect(shapes).toEqual([[false, false, true], [false, false, true], [false, false, true], [false, false, true]]);
  });

  test("lies in a file where many are held, and is the same there; who led a peak is told without the sessions", async () => {
    using logs = new Logs();
    logs.write(0, 3);
    logs.write(1, 9000);
    using set = await readLogSet([logs.folder], { mode: "continue", wantsSessions: true, keepsDigests: true, reduction: SCOPE, outputs: [], onNotice() {} });
    const packed = set.logs.map(({ digest }) => digest as Uint8Array);
    using store = new PackedStore(packed[0]!.length);
    const held = packed.map(one => store.hold(one));
    expect(held.map(one => one instanceof Uint8Array)).toEqual([true, false]);
    const made = held.map(unpackDigest);
    expect(made.map(({ rows, sessions }) => ({ rows, sessions }))).toEqual(packed.map(one => unpack({ digest: one }) as never));
    expect(made.map(({ led }) => led)).toEqual(made.map(({ sessions }) => sessions.map(({ sensors, reach, reachAddresses }) => ({ sensors, reach, reachAddresses }))));
    expect(made[1]!.led[0]!.reach.day.length).toBeGreaterThan(0);
  });

  test("is none of a log that changed, was touched, or lost its table, nor of a table that changed", async () => {
    using logs = new Logs();
    for (let i = 0; i < 5; i++) logs.write(i, 3);
    await logs.read();
    appendFileSync(logs.pathOf(0), `${toLine({ eventid: "session.connect", at: 9 })}\n`);
    utimesSync(logs.pathOf(1), 1e9, 1e9);
    rmSync(`${logs.pathOf(2)}.arrow`);
    utimesSync(`${logs.pathOf(3)}.arrow`, 1e9, 1e9);
    expect([0, 1, 2, 3, 4].map(i => logs.find(i) !== undefined)).toEqual([false, false, false, false, true]);
    const { logs: read } = await logs.read();
    expect(read.map(({ source }) => source.counts.events).sort()).toEqual([3, 3, 3, 3, 4]);
    // What is true of them now is kept beside what was.
    expect([0, 1, 2, 3, 4].map(i => logs.find(i) !== undefined)).toEqual([true, true, true, true, true]);
  });

  test("is none for what would be counted otherwise; days that hold all its events are no other", async () => {
    using logs = new Logs();
    logs.write(0, 3);
    await logs.read();
    expect(logs.find(0, { robotMaxSeconds: 10, sinceDay: DAY - 5, untilDay: DAY })).toBeDefined();
    expect(logs.find(0, { robotMaxSeconds: 10, sinceDay: DAY + 1 })).toBeUndefined();
    expect(logs.find(0, { robotMaxSeconds: 11 })).toBeUndefined();
    expect(logs.find(0, { robotMaxSeconds: 10, sensors: ["b"] })).toBeUndefined();
    expect([logs.find(0, SCOPE, { isFresh: true }), logs.find(0, SCOPE, { hasLineHashes: true })]).toEqual([undefined, undefined]);
    await logs.read({ reduction: { robotMaxSeconds: 10, sinceDay: DAY + 1 } });
    expect(logs.find(0, { robotMaxSeconds: 10, sinceDay: DAY + 9 })!.rows!.kinds.event?.rows ?? 0).toBe(0);
  });

  test("gives the sessions of an event table as they stand in it, as long as the table is the one it was made with", async () => {
    using logs = new Logs();
    for (let i = 0; i < 3; i++) logs.write(i, 3 + i);
    await logs.read();
    const reread = () => readLogSet([logs.folder], { mode: "continue", keepsTables: true, outputs: [], onNotice() {} });
    using set = await reread();
    const kept = await Array.fromAsync(sessionsOfTables(set));
    const found = () => set.logs.map(({ tablePath, tableState }) => new LogDigests().sessionsOf(tablePath!, tableState));
    expect(found()).toEqual(kept.map(sessions => [sessions]));
    for (const pack of logs.packs()) rmSync(pack);
    expect(found()).toEqual([undefined, undefined, undefined]);
    expect(await Array.fromAsync(sessionsOfTables(set))).toEqual(kept);

    await logs.read();
    utimesSync(`${logs.pathOf(1)}.arrow`, 1e9, 1e9);
    using touched = await reread();
    expect(touched.logs.map(({ tablePath, tableState }) => new LogDigests().sessionsOf(tablePath!, tableState) !== undefined)).toEqual([true, false, true]);
    expect(await Array.fromAsync(sessionsOfTables(touched))).toEqual(kept);
  });

  test("is not believed by its own word, whichever byte of the file was changed, nor where it was brought from", async () => {
    using logs = new Logs();
    logs.write(0, 3);
    await logs.read();
    const [pack] = logs.packs();
    const bytes = readFileSync(pack!);
    for (const at of [0, 40, bytes.length >> 1, bytes.length - 9, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      writeFileSync(pack!, changed);
      expect(logs.find(0)).toBeUndefined();
    }
    writeFileSync(pack!, bytes.subarray(0, 5));
    expect((await logs.read()).reused).toBe(1);
  });

  test("does not hide rejected lines", async () => {
    using logs = new Logs();
    logs.write(0, 3);
    appendFileSync(logs.pathOf(0), "no JSON\n");
    await logs.read();
    expect((await logs.read({ wantsRejects: true })).rejects.length).toBe(1);
  });

  test("is copied with others from time to time, so that files stay few", async () => {
    using logs = new Logs();
    for (let i = 0; i < 20; i++) {
      logs.write(i, 20);
      await logs.read();
      expect(logs.packs().length).toBeLessThan(7);
    }
    for (let i = 0; i < 20; i++) expect(logs.find(i)).toBeDefined();
  });
});
