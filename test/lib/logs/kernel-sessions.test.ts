/** What the kernel gathers of sessions while it reads is what the plain path reads from the finished table, in the same order. */
import { describe, expect, test } from "bun:test";
import { KernelSessions } from "../../../lib/logs/kernel-sessions.ts";
import { type LogSessions, readSessions } from "../../../lib/logs/log-sessions.ts";
import { mutatedLines, randomLines } from "../../hostile/lines.ts";
import { ERAS, type EraName } from "../../support/cowrie-eras.ts";
import { type LogEvent, toLine } from "../../support/event-logs.ts";
import { generateLogs, planSensors } from "../../support/generate-logs.ts";
import { seededRandom } from "../../support/random.ts";
import { mapBytes } from "../../support/tables.ts";

/** Sessions of a log by both ways; the kernel's are undefined where it gave up. */
async function readBoth(bytes: Uint8Array | string, heldMax?: number): Promise<{ byKernel: LogSessions | undefined; plain: LogSessions }> {
  const watcher = new KernelSessions(heldMax);
  const { table } = await mapBytes(bytes, { watchers: [watcher] });
  const byKernel = watcher.takeSessions(table);
  const plain = await readSessions(table);
  table.close();
  return { byKernel, plain };
}

function generated(era: EraName, seed: string = era): string {
  let text = "";
  const sensors = planSensors(2, [era]);
  generateLogs({ seed, firstDay: "2026-03-01", days: 2, sensors, eventsPerDay: 60 }, (_, piece) => (text += piece));
  return text;
}

const logOf = (events: readonly LogEvent[]) => events.map(event => `${toLine(event)}\n`).join("");
const DAY_SECONDS = 86_400;

/** Any events of a few sessions, sensors and days, in no order. */
function mixed(seed: string, keys: boolean): string {
  const random = seededRandom(seed);
  const one = <T>(...values: T[]) => values[random.int(values.length)]!;
  const ids = ["connect", "closed", "file_download", "file_download.failed", "file_upload", "params"].map(id => `session.${id}`);
  const names = [...ids, "command.input", "command.input", "login.success", "login.failed", "client.kex", "client.version", "client.fingerprint", "direct-tcpip.request", "other"];
  return logOf(
    Array.from({ length: 400 }, () => ({
      eventid: one(...names.filter(name => keys || name !== "client.fingerprint")),
      at: random.int(100) + one(0, 0, 0, DAY_SECONDS, 2 * DAY_SECONDS),
      session: one("s1", "s2", `s${random.int(40)}`, undefined),
      sensor: one("a", "b", undefined),
      src_ip: one("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", undefined),
      username: one("root", "a\u0000b", undefined),
      password: one("", "b\u0000c", "c", undefined),
      input: one("ls", "ls ", "id", "", undefined),
      realm: one("cat", undefined, undefined),
      url: one("http://192.0.2.9/x", "", undefined),
      shasum: one("ab", "", undefined),
      filename: one("f", undefined),
      duration: one(0, 0.5, 1, 29.999, 30, 1e9, undefined),
      version: one("SSH-2.0-Go", "b'SSH-2.0-Go'", undefined),
      hassh: one("h", "", undefined),
      ...(keys && { key: one("k", undefined, undefined), fingerprint: one("f", undefined, undefined) }),
    })),
  );
}

describe("the same sessions by the kernel and without it", () => {
  for (const era of Object.keys(ERAS) as EraName[]) {
    test(`of generated logs of ${era}`, async () => {
      const { byKernel, plain } = await readBoth(generated(era));
      expect(plain.ids.size).toBeGreaterThan(0);
      expect(byKernel).toEqual(plain);
    });
  }

  test.each([true, false])("of events in any order, with keys: %p", async keys => {
    for (let seed = 0; seed < 6; seed++) {
      const { byKernel, plain } = await readBoth(mixed(`mixed ${seed}`, keys));
      expect(byKernel).toEqual(plain);
    }
  });

  test("of lines that are spoiled, and of such as an attacker would write", async () => {
    for (let seed = 0; seed < 3; seed++) {
      const random = seededRandom(`sessions ${seed}`);
      const lines = `${generated("v2.5")}${mixed(`spoiled ${seed}`, seed > 0)}`.split("\n").map(text => Buffer.from(text));
      for (const text of [mutatedLines(random, lines, 400), randomLines(random, 400)]) {
        const { byKernel, plain } = await readBoth(text);
        expect(byKernel).toEqual(plain);
      }
    }
  });

  const edges: Readonly<Record<string, string>> = {
    "nothing": "",
    "no event": "{}\nnot JSON\n",
    "no session": logOf([{ eventid: "session.connect", at: 0, session: undefined }, { eventid: "session.closed", at: 1, session: undefined, duration: 2 }]),
    "lengths of sessions that ended before 1970": ["a", "b"]
      .map(sensor => `{"eventid":"cowrie.session.closed","timestamp":"1970-01-01T00:00:09+0500","session":"s","sensor":"${sensor}","duration":3}\n`)
      .join(""),
    "commands back in time, many at one time": logOf(
      Array.from({ length: 1000 }, (_, i) => ({ eventid: "command.input", at: (1000 - i) >> 3, session: `s${i % 3}`, input: `c${i % 70}` })),
    ),
    "an id under its old name and its new one": logOf([
      { eventid: "session.connect", at: 0 },
      { eventid: "login.failed", at: 1, username: "a", password: "b" },
    ]).replaceAll("cowrie.login.failed", "KIPP0003"),
    "more sessions, days, traces and lengths than fit the first tables": logOf(
      Array.from({ length: 3000 }, (_, i) => [
        { eventid: "session.connect", at: (i % 40) * DAY_SECONDS, session: `s${i}`, sensor: `n${i % 300}` },
        { eventid: "session.file_upload", at: (i % 41) * DAY_SECONDS, session: `s${i}`, sensor: `n${i % 300}`, shasum: `h${i % 700}`, filename: `f${i % 3}` },
        { eventid: "session.closed", at: (i % 42) * DAY_SECONDS, session: `s${i}`, sensor: `n${i % 300}`, duration: i },
      ]).flat(),
    ),
  };
  test.each(Object.entries(edges))("of %s", async (_, text) => {
    const { byKernel, plain } = await readBoth(text);
    expect(byKernel).toEqual(plain);
  });
});

test("a log with more sessions than are to be held is left to the plain path", async () => {
  const isThere = async (heldMax: number) => (await readBoth(generated("v3"), heldMax)).byKernel !== undefined;
  expect([await isThere(10), await isThere(1e6)]).toEqual([false, true]);
});

test("nothing is seen where there is no kernel", async () => {
  const watcher = new KernelSessions();
  const { table } = await mapBytes(generated("v3"), { watchers: [watcher], plainOnly: true });
  expect(watcher.takeSessions(table)).toBeUndefined();
  table.close();
});
