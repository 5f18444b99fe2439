import { describe, expect, test } from "bun:test";
import { Dictionary, textOf } from "../../../lib/columns/dictionary.ts";
import { codeOf, countSearched, findAddress, findSessions, matchingCodes } from "../../../lib/sessions/event-search.ts";
import type { LogSet } from "../../../lib/logs/log-set.ts";
import { readEvents } from "../../support/event-logs.ts";
import { seededRandom } from "../../support/random.ts";

const HASH = "ab".repeat(32);

describe("codeOf", () => {
  test("finds what a look at every text finds, also where a text lies across two others", () => {
    for (let round = 0; round < 200; round++) {
      const random = seededRandom(`codes ${round}`);
      const texts = new Dictionary();
      const text = () => Array.from({ length: random.int(4) }, () => "ab\u00e4"[random.int(3)]!).join("");
      for (let i = 0; i < 20; i++) texts.internText(text());
      const wanted = text();
      const plain = Array.from({ length: texts.size }, (_, code) => textOf(texts, code)).indexOf(wanted);
      expect({ wanted, code: codeOf(texts, wanted) }).toEqual({ wanted, code: plain });
      const { flags, count } = matchingCodes(texts, candidate => candidate === wanted);
      expect([flags.indexOf(1), count]).toEqual(plain < 0 ? [-1, 0] : [plain + 1, 1]);
    }
  });

  test("of no dictionary is none", () => {
    expect(codeOf(undefined, "x")).toBe(-1);
    expect(codeOf(new Dictionary(), "")).toBe(-1);
  });
});

describe("findSessions", () => {
  test("puts a session of two files together and finds verdicts of other sessions", async () => {
    using set = await readEvents(
      [
        { eventid: "session.connect", at: 0 },
        { eventid: "session.file_download", at: 1, url: "http://x/", outfile: "o", shasum: HASH },
        { eventid: "session.connect", at: 1, session: "other" },
      ],
      [
        { eventid: "session.closed", at: 90_000, duration: 90_000 },
        { eventid: "virustotal.scanfile", at: 90_001, session: "third", sha256: HASH, positives: 3, total: 70 },
        { eventid: "virustotal.scanfile", at: 90_002, session: "third", sha256: HASH, positives: 4, total: 70 },
      ],
    );
    const { events, verdicts } = await findSessions(set, ["s1"]);
    expect(events.map(({ eventid }) => eventid)).toEqual([
      "cowrie.session.connect",
      "cowrie.session.file_download",
      "cowrie.session.closed",
    ]);
    expect(verdicts.get(HASH)).toMatchObject({ positives: 4, total: 70 });
    expect(countSearched(set)).toMatchObject({ logs: 2, days: 2 });
  });

  test("leaves out other sensors, after aliases", async () => {
    using set = await readEvents([
      { eventid: "session.connect", at: 0 },
      { eventid: "session.connect", at: 1, sensor: "b" },
    ]);
    const found = await findSessions(set, ["s1"], { sensors: ["a2"], sensorAliases: { a: "a2" } });
    expect(found.events.map(({ sensor }) => sensor)).toEqual(["a2"]);
    expect((await findSessions(set, ["S1"])).events).toEqual([]);
  });
});

describe("findAddress", () => {
  test("brings events of the session that tell no address, from before and behind", async () => {
    using set = await readEvents(
      [
        { eventid: "client.version", at: 0, src_ip: undefined, version: "SSH-2.0-x" },
        { eventid: "session.connect", at: 1, src_ip: "198.51.100.1", session: "other" },
      ],
      [{ eventid: "login.failed", at: 90_000, username: "a", password: "b" }],
      [{ eventid: "session.closed", at: 180_000, src_ip: undefined }],
    );
    const { events } = await findAddress(set, address => address === "192.0.2.1");
    expect(events.map(({ eventid }) => eventid)).toEqual([
      "cowrie.client.version",
      "cowrie.login.failed",
      "cowrie.session.closed",
    ]);
    expect((await findAddress(set, () => false)).events).toEqual([]);
  });
});

test("days between the first and the last event of any log count once, whatever the order of the logs", () => {
  const day = 86_400_000_000;
  const log = (first?: number, last?: number) => ({ source: { firstSeenUs: first, lastSeenUs: last } });
  const searched = (...logs: ReturnType<typeof log>[]) => countSearched({ logs } as unknown as LogSet);
  expect(searched(log(20 * day, 30 * day), log(5 * day, 6 * day), log(), log(1 * day, 12 * day), log(12.5 * day, 13.5 * day))).toEqual({
    logs: 5, days: 13 + 11, firstUs: day, lastUs: 30 * day,
  });
  expect(searched(log())).toEqual({ logs: 1, days: 0, firstUs: undefined, lastUs: undefined });
});
