/** A drawn table in which much happened, to keys of every family: what begins, ends, bursts, pauses, here or on all sensors. */
import type { KeyColumn, Kind } from "../../lib/reduced/kinds.ts";
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import { buildReduced, type LiteralRow } from "./build.ts";
import { dateOf, FIRST_DAY } from "./days.ts";
import { type Random, seededRandom } from "./random.ts";

const DAYS = 56;
const SENSORS = ["a", "b", "c"];
type Key = Partial<Record<KeyColumn, string | number | null>>;

/** The keys of a kind by number: those below 16 come every day but for what happens to them, the others now and then. */
const KEYS: Partial<Record<Kind, { readonly rare: number; readonly keyOf: (n: number) => Key }>> = {
  login: { rare: 900, keyOf: n => ({ username: n % 11 === 5 ? null : `u${n % 7}`, password: n % 13 === 6 ? null : `p${n >> 1}` }) },
  command: { rare: 40, keyOf: n => ({ input: n < 16 ? `${"abcdefghijklmnop"[n]} -x` : `wget http://198.51.100.${n}/x` }) },
  connect: { rare: 700, keyOf: n => ({ src_ip: n % 5 === 3 ? `2001:db8:${n % 9}::${n.toString(16)}` : n % 17 === 11 ? null : `203.0.${n % 30}.${n % 200}`, dst_port: 22 + (n & 1) }) },
  file_download: { rare: 20, keyOf: n => ({ url: `http://198.51.100.${n}/x`, outfile: null, shasum: n % 6 === 5 ? null : `hash ${n % 40}` }) },
  file_upload: { rare: 9, keyOf: n => ({ filename: `f${n}`, shasum: `hash ${n >> 1}` }) },
  proxy_request: { rare: 60, keyOf: n => ({ src_ip: `192.0.2.${n % 25}`, dst_ip: `198.51.100.${n % 18}`, dst_port: n % 4 === 3 ? null : 25 + (n % 3) }) },
  client: { rare: 30, keyOf: n => (n % 2 === 0 ? { version: `SSH-2.0-${n}`, hassh: null } : { version: null, hassh: `hassh ${n}` }) },
};

export function drawEventful(seed: string): ReducedTable {
  const random = seededRandom(seed);
  const rows: LiteralRow[] = [];
  for (let day = 0; day < DAYS; day++) {
    for (const sensor of SENSORS) {
      // One is down for some days, and another comes late.
      if ((sensor === "b" && day >= 12 && day < 15) || (sensor === "c" && day < 4)) continue;
      rows.push(...drawEvents(day, sensor));
      for (const kind of Object.keys(KEYS) as Kind[]) rows.push(...drawKind(random, kind, day, sensor));
    }
  }
  return buildReduced(rows);
}

function drawEvents(day: number, sensor: string): LiteralRow[] {
  const peak: LiteralRow[] = day === 45 ? [{ kind: "proxy_request", date: dateOf(day), sensor, key: { src_ip: "192.0.2.99", dst_ip: "198.51.100.99", dst_port: 25 }, count: 9000 }] : [];
  const ids = ["cowrie.session.connect", "cowrie.session.closed", day >= 30 && sensor === "a" ? "cowrie.telnet.option" : "cowrie.log.open"];
  const events = ids.flatMap(eventid =>
    Array.from({ length: 24 }, (_, hour): LiteralRow => {
      const us = ((FIRST_DAY + day) * 24 + hour) * 3_600_000_000;
      return { kind: "event", date: dateOf(day), sensor, key: { eventid, hour }, count: 9 + ((day + hour) % 5), from: [`203.0.113.${hour}`], firstSeenUs: us, lastSeenUs: us };
    }),
  );
  return [...events, ...peak];
}

function drawKind(random: Random, kind: Kind, day: number, sensor: string): LiteralRow[] {
  const { rare, keyOf } = KEYS[kind]!;
  const numbers = new Set([...Array.from({ length: 16 }, (_, n) => n), ...Array.from({ length: 2 + Math.min(45, rare >> 4) }, () => 16 + random.int(rare))]);
  const seen = new Set<string>();
  return [...numbers].flatMap((n): LiteralRow[] => {
    const count = n < 16 ? countOf(random, n, day, sensor) : 1 + random.int(3);
    const key = keyOf(n);
    if (count === 0 || seen.has(JSON.stringify(key))) return [];
    seen.add(JSON.stringify(key));
    // Of some rows nobody knows the addresses; some come from more than a set holds.
    const isUnknown = (n === 12 && day === 33) || (n === 8 && day === 36);
    const isFull = n === 2 && day >= 40 && day < 42 && kind === "login";
    const from = Array.from({ length: isFull ? 1300 : 1 + random.int(Math.min(count, 4)) }, (_, i) => (isFull ? `10.${sensor === "a" ? 1 : 2}.${i >> 8}.${i & 255}` : `203.0.${n % 20}.${random.int(60)}`));
    return [{ kind, date: dateOf(day), sensor, key, count, ...(isUnknown ? {} : { from }) }];
  });
}

/** What happens to a frequent key. */
function countOf(random: Random, n: number, day: number, sensor: string): number {
  const usual = 4 + random.int(3);
  switch (n % 8) {
    case 0:
      return day >= 35 ? 5 * usual : n === 0 ? 0 : usual;
    case 1:
      return day >= 20 ? 0 : 3 * usual;
    case 2:
      return day === 40 || day === 41 ? 40 * usual : usual;
    case 3:
      return day >= 24 && day < 30 ? 0 : 4 * usual;
    case 4:
      return sensor === "a" && day >= 28 ? 8 * usual : 3 * usual;
    case 5:
      return sensor === "b" ? (day >= 18 && day < 40 ? 30 : 2) : 12;
    default:
      return 2 * usual;
  }
}
