/** A drawn table of three sensors and a hundred days, with something to tell. */
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import { buildReduced, type LiteralRow } from "./build.ts";
import { type Random, seededRandom } from "./random.ts";

const dateOf = (day: number) => new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10);

/** More rows of a kind than one batch holds, over more days than any comparison looks at. */
export function drawTable(): ReducedTable {
  const random = seededRandom("stored");
  const rows: LiteralRow[] = [];
  for (let day = 0; day < 100; day++) {
    for (const sensor of ["a", "b", "c"]) rows.push(...drawDay(random, dateOf(day), sensor, day >= 97 && sensor === "b"));
  }
  return buildReduced(rows);
}

function drawDay(random: Random, date: string, sensor: string, isBusy: boolean): LiteralRow[] {
  const from = () => Array.from({ length: 1 + random.int(4) }, () => `203.0.113.${random.int(250)}`);
  const some = (n: number, most: number) => new Set(Array.from({ length: n }, (_, i) => (i % 2 === 0 ? random.zipf(1.3, most) : random.int(most))));
  const count = () => 4 + random.int(6);
  const startUs = Date.parse(date) * 1000;
  return [
    ...Array.from({ length: 24 }, (_, hour): LiteralRow => ({
      kind: "event", date, sensor, key: { eventid: "cowrie.login.failed", hour }, count: 20 + random.int(9), from: from(),
      firstSeenUs: startUs + hour * 3_600_000_000, lastSeenUs: startUs + hour * 3_600_000_000 + 60_000_000,
    })),
    ...[...some(36, 900)].map((n): LiteralRow => ({ kind: "login", date, sensor, key: { username: `u${n % 7}`, password: `p${n}` }, count: count() + (isBusy && n < 3 ? 300 : 0), from: from() })),
    ...[...some(20, 300)].map((n): LiteralRow => ({ kind: "connect", date, sensor, key: { src_ip: `203.0.${n % 40}.${n % 200}`, dst_port: 22 + (n & 1) }, count: count() })),
    ...[...some(3, 60)].map((n): LiteralRow => ({ kind: "command", date, sensor, key: { input: `wget http://198.51.100.${n}/x` }, count: count(), from: from() })),
    ...[...some(2, 30)].map((n): LiteralRow => ({ kind: "file_download", date, sensor, key: { url: `http://198.51.100.${n}/x`, outfile: null, shasum: `${n}` }, count: count(), from: from() })),
    ...[...some(2, 9)].map((n): LiteralRow => ({ kind: "session_closed", date, sensor, key: { src_ip: `198.51.100.${n}`, robot: n & 1 }, count: count() })),
    { kind: "proxy_request", date, sensor, key: { src_ip: "192.0.2.7", dst_ip: "198.51.100.9", dst_port: 25 }, count: isBusy ? 900 : 3 },
    ...[...some(2, 9)].map((n): LiteralRow => ({ kind: "client", date, sensor, key: { version: `SSH-2.0-${n}`, hassh: null }, count: count(), from: from() })),
  ];
}
