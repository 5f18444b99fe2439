/**
 * All figures of a made-up fleet, held against those that were found before: a change of any must be meant.
 *
 * The other tests say why a figure is right; this one notices when one moves that nobody thought of. To write the
 * figures anew, once it is known why they moved: `UPDATE_FIGURES=1 bun test test/lib/statistics/figures.test.ts`.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { computeStatistics, type Statistics } from "../../../lib/statistics/statistics.ts";
import { summarizeStatistics } from "../../../lib/statistics/statistics-summary.ts";
import type { StatisticsOptions } from "../../../lib/statistics/settings.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { dateOf, FIRST_DAY } from "../../support/days.ts";
import { hashNumbers } from "../../support/random.ts";
import { ROOT } from "../../support/run.ts";

const FIGURES = join(ROOT, "test/fixtures/figures.json");
const DAYS = 72;
const HASH = (nth: number) => nth.toString(16).padStart(64, "0");
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

/** From 0 to `most - 1`, always the same. */
const noise = (most: number, ...of: readonly number[]) => of.reduce((mixed, one) => hashNumbers(mixed, one), 7) % most;

type Count = (day: number) => number;

/** Events in chosen hours of each day; days without a count have none. */
function watched(sensor: string, count: Count, hours: (day: number) => readonly number[]): LiteralRow[] {
  return days().flatMap(day =>
    hours(day).flatMap((hour): LiteralRow[] => {
      const startUs = ((FIRST_DAY + day) * 24 + hour) * 3_600_000_000;
      const row = (eventid: string, n: number): LiteralRow =>
        ({ kind: "event", date: dateOf(day), sensor, key: { eventid, hour }, count: n, firstSeenUs: startUs, lastSeenUs: startUs + 3e9 });
      const n = count(day) === 0 ? 0 : count(day) + noise(4, day, hour);
      return n === 0 ? [] : [row("cowrie.session.connect", n), ...(hour % 3 === 0 ? [row("cowrie.login.failed", 2 * n)] : [])];
    }),
  );
}

const days = () => Array.from({ length: DAYS }, (_, day) => day);
const ALL_HOURS = () => Array.from({ length: 24 }, (_, hour) => hour);

function counted(sensor: string, kind: LiteralRow["kind"], key: LiteralRow["key"], count: Count): LiteralRow[] {
  return days().flatMap(day => (count(day) > 0 ? [{ kind, date: dateOf(day), sensor, key, count: count(day) }] : []));
}

const since = (first: number, count: Count, last = DAYS - 1): Count => day => (day >= first && day <= last ? count(day) : 0);
const steady = (mean: number, seed = 0): Count => day => mean + noise(Math.ceil(mean / 2) + 1, day, seed);
const on = (...list: readonly number[]): Count => day => (list.includes(day) ? 1 : 0);

/** What "b" counted before it joined, and while it was down, was never there. */
const whileUp = (sensor: string, rows: LiteralRow[]) =>
  rows.filter(({ date }) => sensor !== "b" || (date >= dateOf(16) && date !== dateOf(40) && date !== dateOf(41)));

function makeFleet(): LiteralRow[] {
  const weekdays: Count = day => (day % 7 < 2 ? 30 : 5);
  const login = (username: string, password: string | null) => ({ username, password });
  const address = (src_ip: string) => ({ src_ip, dst_port: 22 });
  return [
    // Weekdays matter on "a"; "b" joins, is down for hours and for days; "c" is quiet and falls silent; "d" was cut.
    ...watched("a", weekdays, ALL_HOURS),
    ...watched("b", since(16, day => (day === 40 || day === 41 ? 0 : 12)), day => (day === 30 ? ALL_HOURS().slice(9) : ALL_HOURS())),
    ...watched("c", since(2, day => (day % 9 === 4 ? 0 : 1), 50), day => [noise(24, day), (noise(24, day) + 5) % 24]),
    ...["a", "b"].flatMap((sensor, s) => whileUp(sensor, [
      ...counted(sensor, "login", login("root", "root"), steady(20 + 30 * s, s)),
      ...counted(sensor, "login", login("root", ""), steady(9, s)),
      ...counted(sensor, "login", login("root", null), day => (day === DAYS - 2 ? 90 : 3)),
      ...counted(sensor, "command", { input: "uname -a" }, since(16 * s, day => (day >= DAYS - 1 ? 1 : 14 + noise(9, day, s)))),
      ...counted(sensor, "command", { input: "id" }, since(16 * s, steady(12, s), 62)),
      ...counted(sensor, "command", { input: "curl http://192.0.2.9/x" }, since(DAYS - 1 - s, steady(30, s))),
      ...counted(sensor, "pre_disconnect_command", { input: "id" }, steady(6, s + 4)),
      ...counted(sensor, "connect", address("198.51.100.1"), day => Math.floor(8 + day / 4) + noise(4, day, s)),
      ...counted(sensor, "session_closed", { src_ip: "198.51.100.1", robot: 1 }, steady(5, s)),
      ...counted(sensor, "client", { version: "SSH-2.0-Go", hassh: "f".repeat(32) }, day => (day % 10 === 0 ? 60 : 4)),
    ])),
    // New, new here, returning, gone; on one sensor alone; far more on one than on the other.
    ...counted("a", "connect", address("198.51.100.2"), on(DAYS - 3)),
    ...counted("a", "connect", address("198.51.100.3"), on(20, 21)),
    ...counted("b", "connect", address("198.51.100.3"), on(DAYS - 2, DAYS - 1)),
    ...counted("b", "connect", address("198.51.100.4"), on(18, DAYS - 4)),
    ...counted("a", "connect", address("198.51.100.5"), on(5, 6, 7, 8)),
    ...counted("c", "connect", address("198.51.100.6"), on(3, 60)),
    ...counted("c", "connect", address("198.51.100.7"), since(2, day => (day % 9 === 4 ? 0 : 5 + noise(3, day)), 50)),
    ...counted("b", "session_closed", { src_ip: "198.51.100.8", robot: 0 }, on(DAYS - 1)),
    ...counted("a", "login", login("admin", "1234"), day => (day % 2 === 0 ? 25 : 22)),
    ...counted("b", "login", login("admin", "1234"), since(16, () => 2)),
    ...counted("a", "command", { input: `echo "${KEY}" >> .ssh/authorized_keys` }, on(40, 41)),
    ...counted("b", "client_key", { key: KEY, fingerprint: null }, on(DAYS - 1)),
    ...counted("b", "client_key", { key: null, fingerprint: "SHA256:x" }, on(50, DAYS - 1)),
    ...counted("a", "file_download", { url: "http://192.0.2.9/x", outfile: "o", shasum: HASH(1) }, steady(2)),
    ...counted("b", "file_upload", { filename: "f", shasum: HASH(1) }, on(DAYS - 5)),
    ...counted("b", "file_upload", { filename: "g", shasum: HASH(2) }, on(DAYS - 5)),
    ...counted("a", "proxy_request", { src_ip: "198.51.100.9", dst_ip: "192.0.2.80", dst_port: 80 }, steady(7)),
    ...counted("d", "login", login("root", "root"), on(10, 11, DAYS - 1)),
    ...counted("d", "command", { input: "id" }, day => 5 * on(10, DAYS - 1)(day)),
  ];
}

const CHOICES: Record<string, StatisticsOptions> = {
  default: {},
  "all rows of two days, strictly": { rows: "all", lastDays: 2, strict: true, baselineDays: 20, guardDays: 3 },
  "quiet days, times of the operator, short lists": {
    quietDays: "zero",
    downtime: [{ sensor: "a", fromUs: (FIRST_DAY + 60) * 86_400e6, toUs: (FIRST_DAY + 60.75) * 86_400e6 }],
    newSinceDay: FIRST_DAY + 30,
    burnInDays: 5,
    returningAfterDays: 10,
    listLimit: 2,
    thresholdPercent: 60,
    kinds: ["login", "command", "connect"],
  },
};

/** Nine digits: what is left of them is the machine's. */
const round = (_: string, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(9)) : value);

/** Lists of equal objects as one heading and a list of values each. */
function squeeze(value: unknown): unknown {
  if (Array.isArray(value)) {
    const isTable = value.length > 1 && value.every(row => typeof row === "object" && row !== null && !Array.isArray(row));
    return isTable ? [Object.keys(value[0]).join(" "), ...value.map(row => Object.values(row as object).map(squeeze))] : value.map(squeeze);
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, squeeze(own)]));
}

function figuresOf(statistics: Statistics): Record<string, unknown> {
  return JSON.parse(JSON.stringify(squeeze({ ...statistics, summary: summarizeStatistics(statistics) }), round));
}

test("no figure has moved", async () => {
  const table = buildReduced(makeFleet());
  const [first, ...others] = Object.entries(CHOICES).map(
    ([name, options]) => [name, figuresOf(computeStatistics(table, options))] as const,
  );
  // Once is enough of what is the same by any choice.
  const differing = others.map(
    ([name, figures]) =>
      [name, Object.fromEntries(Object.entries(figures).filter(([part, of]) => !Bun.deepEquals(of, first![1][part])))] as const,
  );
  const found = Object.fromEntries([first!, ...differing]);
  if (process.env.UPDATE_FIGURES !== undefined) {
    const lines = Object.entries(found).map(([name, figures]) => {
      const parts = Object.entries(figures).map(([part, of]) => `${JSON.stringify(part)}:${JSON.stringify(of)}`);
      return `${JSON.stringify(name)}:{\n${parts.join(",\n")}\n}`;
    });
    await Bun.write(FIGURES, `{\n${lines.join(",\n")}\n}\n`);
  }
  expect(found).toEqual(await Bun.file(FIGURES).json());
});
