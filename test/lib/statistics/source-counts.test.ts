import { describe, expect, test } from "bun:test";
import type { ChangeRow } from "../../../lib/statistics/change.ts";
import { computeStatistics } from "../../../lib/statistics/statistics.ts";
import type { StatisticsOptions } from "../../../lib/statistics/settings.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { dateOf, FIRST_DAY, watch } from "../../support/days.ts";
import { seededRandom } from "../../support/random.ts";

const DAYS = 40;
/** Sensors watched by the same few addresses. */
const watched = (sensor: string, days = DAYS) => watch(sensor, days).map(row => ({ ...row, from: ["192.0.2.1"] }));
const address = (n: number) => `198.51.${n >> 8}.${n & 255}`;

const typed = (sensor: string, offset: number, input: string, from: readonly string[], times = 1): LiteralRow =>
  ({ kind: "command", date: dateOf(offset), sensor, key: { input }, count: from.length * times, from });
const login = (sensor: string, offset: number, username: string, password: string, from: readonly string[]): LiteralRow =>
  ({ kind: "login", date: dateOf(offset), sensor, key: { username, password }, count: from.length, from });

function changesOf(rows: LiteralRow[], options: StatisticsOptions = {}): ChangeRow[] {
  return computeStatistics(buildReduced(rows), { rows: "all", ...options }).changes;
}

const of = (changes: readonly ChangeRow[], kind: string, sensor: string | null, offset: number, key?: string) =>
  changes.find(row =>
    row.unit === "sources" && row.kind === kind && row.view === "day" && row.sensor === sensor &&
    row.firstDay === FIRST_DAY + offset && (key === undefined || row.key[0] === key))!;

/** Every day some of twenty addresses type two commands on three sensors. */
function world(): LiteralRow[] {
  const random = seededRandom("sources");
  const rows: LiteralRow[] = ["a", "b", "c"].flatMap(sensor => watched(sensor));
  for (let offset = 0; offset < DAYS; offset++) {
    for (const sensor of ["a", "b", "c"]) {
      for (const input of ["uname -a", "uname -m", "id"]) {
        const from = Array.from({ length: 20 }, (_, i) => address(i)).filter(() => random.chance(0.3));
        if (from.length > 0) rows.push(typed(sensor, offset, input, from, 1 + random.int(4)));
      }
    }
  }
  return rows;
}

/** The plain way: one set for each key, sensor (null: all) and day. */
function plainSources(rows: readonly LiteralRow[], keyOf: (row: LiteralRow) => string, key: string, sensor: string | null, offset: number) {
  const found = new Set<string>();
  for (const row of rows) {
    if (row.kind !== "command" || row.date !== dateOf(offset) || keyOf(row) !== key) continue;
    if (sensor === null || row.sensor === sensor) for (const one of row.from!) found.add(one);
  }
  return found.size;
}

describe("sources", () => {
  const rows = world();
  const changes = changesOf(rows);

  test("are those of sets, per sensor, for the fleet and for families of keys", () => {
    let compared = 0;
    const inputOf = (row: LiteralRow) => String(row.key.input);
    for (let offset = DAYS - 7; offset < DAYS; offset++) {
      for (const sensor of ["a", "b", "c", null]) {
        for (const key of ["uname -a", "uname -m", "id"]) {
          const row = of(changes, "command", sensor, offset, key);
          expect(row.count).toBe(plainSources(rows, inputOf, key, sensor, offset));
          compared++;
        }
        const program = of(changes, "program", sensor, offset, "uname");
        expect(program.count).toBe(plainSources(rows, row => inputOf(row).split(" ")[0]!, "uname", sensor, offset));
      }
    }
    expect(compared).toBe(7 * 4 * 3);
  });

  test("the fleet has no fewer than a sensor and no more than all, and nobody more than events", () => {
    const found = changes.filter(({ unit, sensor, view }) => unit === "sources" && sensor === null && view === "day");
    expect(found.length).toBeGreaterThan(5);
    for (const row of found) {
      const own = ["a", "b", "c"].map(sensor => of(changes, row.kind, sensor, row.firstDay - FIRST_DAY, String(row.key[0]))?.count ?? 0);
      expect(row.count).toBeGreaterThanOrEqual(Math.max(...own));
      expect(row.count).toBeLessThanOrEqual(own.reduce((sum, count) => sum + count, 0));
      expect(row.eventsPerSource ?? 1).toBeGreaterThanOrEqual(1);
    }
  });

  test("a source that does the same again changes nothing", () => {
    const again = rows.map(row => (row.kind === "command" ? { ...row, count: row.count * 9 } : row));
    const counted = (list: ChangeRow[]) =>
      list.filter(({ unit, kind }) => unit === "sources" && kind !== "event")
        .map(({ kind, key, sensor, view, firstDay, count, p }) => [kind, key, sensor, view, firstDay, count, p]);
    expect(counted(changesOf(again)).length).toBeGreaterThan(100);
    expect(new Set(counted(changesOf(again)).map(row => JSON.stringify(row)))).toEqual(new Set(counted(changes).map(row => JSON.stringify(row))));
  });

  test("events are shown with how many come from each source", () => {
    const row = changes.find(({ unit, kind, sensor, view, key }) => unit === "events" && kind === "command" && sensor === "a" && view === "day" && key[0] === "id")!;
    const sources = of(changes, "command", "a", row.firstDay - FIRST_DAY, "id");
    expect(row.eventsPerSource).toBeCloseTo(row.count / sources.count, 12);
    expect(sources.eventsPerSource).toBe(row.eventsPerSource);
  });

  test("a sensor's p does not move with another's sources, nor with later days", () => {
    const louder = rows.map(row =>
      row.kind === "command" && row.sensor === "b" ? { ...row, count: 40, from: Array.from({ length: 40 }, (_, i) => address(500 + i)) } : row);
    const timeless = ({ q: _q, reported: _r, category: _c, otherMean: _m, otherPercent: _p, ...row }: ChangeRow) => row;
    const past = changesOf(rows.filter(({ date }) => date <= dateOf(DAYS - 3)), { lastDays: 5 });
    const other = changesOf(louder);
    for (let offset = DAYS - 7; offset < DAYS; offset++) {
      expect(of(other, "command", "a", offset, "id").p).toBe(of(changes, "command", "a", offset, "id").p);
      expect(of(other, "program", "c", offset, "uname").p).toBe(of(changes, "program", "c", offset, "uname").p);
      if (offset > DAYS - 3) continue;
      for (const sensor of ["b", null]) {
        expect(timeless(of(past, "command", sensor, offset, "id"))).toEqual(timeless(of(changes, "command", sensor, offset, "id")));
      }
    }
  });

  test("a sensor that is down or joins moves nothing in the fleet", () => {
    const whole = of(changesOf(rows), "command", null, DAYS - 1, "id");
    const late = [...rows, ...watched("d", DAYS).slice(-48), typed("d", DAYS - 1, "id", Array.from({ length: 30 }, (_, i) => address(900 + i)))];
    const joined = of(changesOf(late), "command", null, DAYS - 1, "id");
    expect([joined.count, joined.expected, joined.sensorsUp]).toEqual([whole.count, whole.expected, 3]);
    const down = of(changesOf(rows.filter(row => !(row.sensor === "c" && row.date === dateOf(DAYS - 1)))), "command", null, DAYS - 1, "id");
    expect(down.sensorsUp).toBe(2);
    const without = of(changesOf(rows.filter(row => row.sensor !== "c")), "command", null, DAYS - 1, "id");
    expect([down.count, down.expected]).toEqual([without.count, without.expected]);
  });
});

describe("what is counted", () => {
  test("families: usernames, passwords, subnets, proxy destinations, files, keys", () => {
    const rows: LiteralRow[] = watched("a");
    for (let offset = 0; offset < DAYS; offset++) {
      const from = [1, 2, 3].map(address);
      rows.push(login("a", offset, "root", "x", from), login("a", offset, "root", "y", [address(3), address(4)]));
      for (const src_ip of [...from, "2001:db8:5::1", "2001:db8:5:1::1", "oddity"]) {
        rows.push({ kind: "connect", date: dateOf(offset), sensor: "a", key: { src_ip, dst_port: 22 }, count: 2 });
        rows.push({ kind: "proxy_request", date: dateOf(offset), sensor: "a", key: { src_ip, dst_ip: "203.0.113.9", dst_port: 25 }, count: 3 });
      }
      for (const url of ["http://a/", "http://b/"]) {
        rows.push({ kind: "file_download", date: dateOf(offset), sensor: "a", key: { url, outfile: "f", shasum: "5a" }, count: 3, from });
      }
      rows.push({ kind: "client_key", date: dateOf(offset), sensor: "a", key: { key: "AAAA", fingerprint: "MD5" }, count: 3, from });
    }
    const changes = changesOf(rows);
    const found = (kind: string) =>
      changes.filter(row => row.kind === kind && row.unit === "sources" && row.view === "day" && row.lastDay === FIRST_DAY + DAYS - 1)
        .map(row => [row.key, row.count]).sort();
    expect(found("username")).toEqual([[["root"], 4]]);
    expect(found("password")).toEqual([[["x"], 3], [["y"], 2]]);
    expect(found("login")).toEqual([[["root", "x"], 3], [["root", "y"], 2]]);
    // Of IPv6 a /64 is a source; what is no address lies in no subnet.
    expect(found("subnet")).toEqual([[["198.51.0.0/24"], 3], [["2001:db8:5::/48"], 2]]);
    expect(found("destination")).toEqual([[["203.0.113.9", 25], 6]]);
    expect(found("hash")).toEqual([[["5a"], 3]]);
    expect(found("client_key")).toEqual([[["AAAA", "MD5"], 3]]);
  });

  test("sensor-days of which nobody knows the sources are no part of it; without any there are events only", () => {
    const rows = world();
    const isOld = ({ date, sensor }: LiteralRow) => sensor === "a" && date < dateOf(DAYS - 4);
    const old = ({ from: _from, ...row }: LiteralRow): LiteralRow => row;
    const changes = changesOf(rows.map(row => (isOld(row) ? old(row) : row)));
    expect(of(changes, "command", "a", DAYS - 1, "id")).toBeUndefined();
    expect(of(changes, "command", "b", DAYS - 1, "id").p).toBe(of(changesOf(rows), "command", "b", DAYS - 1, "id").p);
    const without = computeStatistics(buildReduced(rows.map(old)), { rows: "all" });
    expect(without.changes.length).toBeGreaterThan(50);
    expect(without.changes.every(({ unit, eventsPerSource }) => unit === "events" && eventsPerSource === null)).toBe(true);
    expect(without.notes.join(" ")).toContain("The table does not say which sources its counts came from");
    expect(computeStatistics(buildReduced(rows)).notes.join(" ")).not.toContain("does not say which sources");
  });
});

describe("one actor and many", () => {
  const steady = () => {
    const rows: LiteralRow[] = [...watched("a"), ...watched("b")];
    for (let offset = 0; offset < DAYS; offset++) {
      for (let key = 0; key < 30; key++) {
        if ((offset + key) % 3 === 0) rows.push(typed(key % 2 === 0 ? "a" : "b", offset, `cmd ${key}`, [address((offset * 7 + key) % 90)]));
      }
    }
    return rows;
  };
  const reported = (rows: LiteralRow[], unit: string) =>
    computeStatistics(buildReduced(rows)).changes.filter(row => row.unit === unit && row.kind === "command" && row.view === "day" && row.lastDay === FIRST_DAY + DAYS - 2);

  test("twenty addresses with a rare command are a change; it is new where nobody had it before", () => {
    const many = Array.from({ length: 20 }, (_, i) => address(2000 + i));
    const found = reported([...steady(), typed("a", DAYS - 2, "never seen", many), typed("a", DAYS - 2, "cmd 1", many)], "sources");
    expect(found.map(row => [row.key[0], row.sensor, row.category]).sort()).toEqual([
      ["cmd 1", null, "up"], ["cmd 1", "a", "new here"], ["never seen", null, "new"], ["never seen", "a", "new"],
    ]);
  });
  test("one address that does it a thousand times is no change of sources", () => {
    const found = reported([...steady(), typed("a", DAYS - 2, "cmd 1", [address(2000)], 1000)], "sources");
    expect(found).toEqual([]);
  });
});
