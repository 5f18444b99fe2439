import { describe, expect, test } from "bun:test";
import type { Novelty } from "../../../lib/statistics/novelty.ts";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import { toValueRows, type ValueType } from "../../../lib/statistics/value-rows.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { command, dateOf, FIRST_DAY, watch } from "../../support/days.ts";
import { Random } from "../../support/random.ts";
import type { StatisticsOptions } from "../../../lib/statistics/settings.ts";

const connect = (sensor: string, src_ip: string, offsets: readonly number[], count = 1): LiteralRow[] =>
  offsets.map(offset => ({ kind: "connect", date: dateOf(offset), sensor, key: { src_ip, dst_port: 22 }, count }));

const WATCHED = [...watch("a", 60), ...watch("b", 60)];

function novelty(rows: LiteralRow[], options: StatisticsOptions = {}): Novelty {
  return computeStatistics(buildReduced([...WATCHED, ...rows]), options).novelty;
}

const values = (list: { type: ValueType; value: (string | null)[] }[], type: ValueType) =>
  list.filter(entry => entry.type === type).map(({ value }) => value.join(" "));

describe("what is new", () => {
  test("a value first seen in the last days, with who saw it first", () => {
    const rows = [...connect("b", "1.1.1.1", [55]), ...connect("a", "1.1.1.1", [54, 57], 2)];
    expect(novelty(rows).new).toEqual([
      {
        type: "address",
        value: ["1.1.1.1"],
        firstSeenUs: (FIRST_DAY + 54.5) * 86_400_000_000,
        lastSeenUs: (FIRST_DAY + 57.5) * 86_400_000_000,
        count: 5,
        sensors: [
          {
            sensor: "a",
            firstSeenUs: (FIRST_DAY + 54.5) * 86_400_000_000,
            lastSeenUs: (FIRST_DAY + 57.5) * 86_400_000_000,
            count: 4,
          },
          {
            sensor: "b",
            firstSeenUs: (FIRST_DAY + 55.5) * 86_400_000_000,
            lastSeenUs: (FIRST_DAY + 55.5) * 86_400_000_000,
            count: 1,
          },
        ],
      },
    ]);
  });

  test("new here: known elsewhere before", () => {
    const found = novelty([...connect("a", "1.1.1.1", [30]), ...connect("b", "1.1.1.1", [56])]);
    expect(values(found.new, "address")).toEqual([]);
    expect(found.newHere.map(({ value, newOn }) => [value, newOn])).toEqual([[["1.1.1.1"], ["b"]]]);
  });

  test("new here on two sensors is one value", () => {
    const rows = [...watch("c", 60), ...connect("a", "1.1.1.1", [30]), ...connect("c", "1.1.1.1", [55]), ...connect("b", "1.1.1.1", [56])];
    const found = novelty(rows);
    expect(found.newHere.map(({ newOn }) => newOn)).toEqual([["b", "c"]]);
    expect(found.totals.find(({ type }) => type === "address")).toMatchObject({ newHere: 1 });
  });

  test("returning: silent for thirty days", () => {
    const found = novelty([...connect("a", "1.1.1.1", [20, 56]), ...connect("a", "2.2.2.2", [40, 56])]);
    expect(
      found.returning.map(({ value, lastSeenBefore, returnedOn, absentDays }) => [
        value[0],
        lastSeenBefore - FIRST_DAY,
        returnedOn - FIRST_DAY,
        absentDays,
      ]),
    ).toEqual([["1.1.1.1", 20, 56, 36]]);
  });

  test("gone: established, and silent for thirty watched days", () => {
    const rows = [
      ...connect("a", "1.1.1.1", [10, 11, 12]),
      ...connect("a", "2.2.2.2", [10, 11]),
      ...connect("a", "3.3.3.3", [10, 11, 40]),
    ];
    expect(values(novelty(rows).gone, "address")).toEqual(["1.1.1.1"]);
  });

  test("a value is not gone because the only sensor that knew it is", () => {
    const rows = [...watch("c", 13), ...connect("c", "1.1.1.1", [10, 11, 12])];
    expect(values(novelty(rows).gone, "address")).toEqual([]);
  });

  test("nothing is new during the burn-in", () => {
    const found = novelty(connect("a", "1.1.1.1", [5]), { newSinceDay: FIRST_DAY });
    expect([found.new, found.claimsFromDay]).toEqual([[], FIRST_DAY + 14]);
    expect(found.totals.find(({ type }) => type === "address")).toMatchObject({ values: 1, active: 1, new: 0 });
  });

  test("since any day that is asked for", () => {
    const rows = [...connect("a", "1.1.1.1", [20]), ...connect("a", "2.2.2.2", [40])];
    expect(values(novelty(rows, { newSinceDay: FIRST_DAY + 30 }).new, "address")).toEqual(["2.2.2.2"]);
    expect(values(novelty(rows, { newSinceDay: FIRST_DAY + 15 }).new, "address")).toEqual(["1.1.1.1", "2.2.2.2"]);
  });

  test("lists are cut at the limit and say how long they were", () => {
    const rows = Array.from({ length: 30 }, (_, i) => connect("a", `10.0.0.${i}`, [57], i + 1)).flat();
    const found = novelty(rows, { listLimit: 3 });
    expect(values(found.new, "address")).toEqual(["10.0.0.29", "10.0.0.28", "10.0.0.27"]);
    expect(found.totals.find(({ type }) => type === "address")!.new).toBe(30);
    expect(novelty(rows, { listLimit: 0 }).new.length).toBe(30);
  });

  test("the most frequent are kept also where many tie at the limit", () => {
    const rows = Array.from({ length: 40 }, (_, i) => connect("a", `10.0.0.${i + 10}`, [57], i < 2 ? 9 : 1)).flat();
    expect(values(novelty(rows, { listLimit: 4 }).new, "address")).toEqual([
      "10.0.0.10", "10.0.0.11", "10.0.0.12", "10.0.0.13",
    ]);
  });
});

describe("types of value", () => {
  const on = (offset: number, row: Pick<LiteralRow, "kind" | "key">): LiteralRow => ({
    ...row, date: dateOf(offset), sensor: "a", count: 1,
  });
  const key = `ssh-rsa ${"AAAAB3NzaC1yc2EAAAADAQABAAAB"}`;
  const otherKey = `ssh-ed25519 ${"AAAAC3NzaC1lZDI1NTE5AAAAIH85"}`;
  const found = novelty([
    on(57, { kind: "login", key: { username: "a:b", password: "c" } }),
    on(57, { kind: "login", key: { username: "a", password: "b:c" } }),
    on(57, { kind: "login", key: { username: "git", password: null } }),
    on(56, { kind: "command", key: { input: 'echo "root:aaa111"|chpasswd' } }),
    on(57, { kind: "command", key: { input: 'echo "root:bbb222"|chpasswd' } }),
    on(57, { kind: "command", key: { input: `echo ${key} me >> ~/.ssh/authorized_keys` } }),
    on(58, { kind: "client_key", key: { key: `${key} bot@there`, fingerprint: "aa:bb" } }),
    on(57, { kind: "client_key", key: { key: `${otherKey}`, fingerprint: "cc:dd" } }),
    on(57, { kind: "client_key", key: { key: null, fingerprint: "ee:ff" } }),
    on(57, { kind: "file_download", key: { url: "http://EVIL.example:8/x", outfile: null, shasum: "aa" } }),
    on(57, { kind: "file_upload", key: { filename: "x", shasum: "aa" } }),
    on(57, { kind: "client", key: { version: "SSH-2.0-Go", hassh: null } }),
    on(57, { kind: "client", key: { version: null, hassh: "ec7378c1a92f5a8dde7e8b7a1ddf33d1" } }),
    on(57, { kind: "session_closed", key: { src_ip: "9.9.9.9", robot: 1 } }),
  ]);
  const CASES: [ValueType, string[]][] = [
    ["credential", ["a b:c", "a:b c", "git "]],
    ["command", ['echo "root:<password>"|chpasswd', "echo ssh-rsa <key> >> ~/.ssh/authorized_keys"]],
    ["sshKey", ["fingerprint ee:ff", otherKey, key]],
    ["hash", ["aa"]],
    ["urlHost", ["evil.example"]],
    ["clientVersion", ["SSH-2.0-Go"]],
    ["hassh", ["ec7378c1a92f5a8dde7e8b7a1ddf33d1"]],
    ["address", ["9.9.9.9"]],
  ];
  test.each(CASES)("%s", (type, wanted) => {
    expect(values(found.new, type).sort()).toEqual(wanted);
  });
  test("a key that a command planted and a client offered is one value", () => {
    const { count, firstSeenUs, lastSeenUs } = found.new.find(({ value }) => value[0] === key)!;
    expect([count, Math.floor(lastSeenUs / 86_400_000_000) - Math.floor(firstSeenUs / 86_400_000_000)]).toEqual([2, 1]);
  });
  test("a hash of two kinds is one value", () => {
    expect(found.new.find(({ type }) => type === "hash")!.count).toBe(2);
  });
});

test("an address without a connection is found by its other rows, in day order", () => {
  const rows: LiteralRow[] = [
    ...connect("a", "1.1.1.1", [3]),
    { kind: "session_closed", date: dateOf(5), sensor: "a", key: { src_ip: "2.2.2.2", robot: 0 }, count: 1 },
    { kind: "session_closed", date: dateOf(3), sensor: "a", key: { src_ip: "1.1.1.1", robot: 0 }, count: 1 },
    {
      kind: "proxy_request",
      date: dateOf(2),
      sensor: "b",
      key: { src_ip: "2.2.2.2", dst_ip: "x", dst_port: 1 },
      count: 1,
    },
  ];
  const { rows: { parts }, textOf } = toValueRows(buildReduced(rows), "address");
  const found = parts.map(({ value, day }) => Array.from(value, (v, row) => [textOf(v)[0], day[row]! - FIRST_DAY]));
  expect(found).toEqual([
    [["1.1.1.1", 3]],
    [["2.2.2.2", 2], ["2.2.2.2", 5]],
  ]);
});

test("the ledger does not depend on the order of the rows", () => {
  const rows = [
    ...WATCHED,
    ...connect("a", "1.1.1.1", [20, 55]),
    ...connect("b", "1.1.1.1", [56]),
    ...connect("b", "2.2.2.2", [56, 58]),
    ...command("a", "id", Array.from({ length: 60 }, (_, i) => (i > 50 ? 1 : 0))),
  ];
  const whole = computeStatistics(buildReduced(rows)).novelty;
  for (let seed = 1; seed <= 5; seed++) {
    expect(computeStatistics(buildReduced(new Random(seed).shuffle([...rows]))).novelty).toEqual(whole);
  }
});
