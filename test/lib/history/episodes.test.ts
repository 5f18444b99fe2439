/** Episodes of a fleet in which it is known what happened; of the example; of a table that knows nothing of addresses. */
import { beforeAll, describe, expect, test } from "bun:test";
import { describeEpisode, nameOf, toPlainSentence } from "../../../lib/history/episode-words.ts";
import { type Episode, findEpisodes } from "../../../lib/history/episodes.ts";
import { chooseEpisodes, episodesWithin, episodeToPlain, historyToCsv, newestFirst } from "../../../lib/history/history-output.ts";
import { FAMILIES } from "../../../lib/history/families.ts";
import type { ReducedTable } from "../../../lib/reduced/reduced-table.ts";
import { toIsoDay } from "../../../lib/text/format.ts";
import { buildReduced, type LiteralRow } from "../../support/build.ts";
import { seededRandom } from "../../support/random.ts";
import { poisson } from "../../support/simulate.ts";

const FIRST = Date.parse("2026-03-01") / 86_400_000;
const DAYS = 60;
const SENSORS = ["ams", "nyc", "sgp", "waw"];
const LATE = { sensor: "waw", day: 24 };
const DOWN = { sensor: "nyc", first: 33, last: 36 };
const UPGRADE = { sensor: "sgp", day: 41, eventid: "cowrie.client.kex" };

/** Keys that were planted: how many addresses use each, on which day and sensor. */
const PLANTS: Readonly<Record<string, { prefix: string; rate: (day: number, sensor: string) => number; events?: number }>> = {
  starts: { prefix: "198.51.100.", rate: day => (day >= 38 ? 4 : 0) },
  ends: { prefix: "203.0.113.", rate: (day, sensor) => (day < 30 && sensor !== "waw" ? 4 : 0) },
  pauses: { prefix: "192.0.2.", rate: day => (day >= 44 && day < 49 ? 0 : 5) },
  ramp: { prefix: "198.18.1.", rate: day => Math.max(0, (day - 12) / 6) },
};
const SPIKE = { day: 20, sensor: "ams", address: "198.19.255.1", connections: 400 };

/** Rows of the fleet, in literals: what everybody does, and what was planted. */
function plantedRows({ spike = true, plants = PLANTS } = {}): LiteralRow[] {
  const random = seededRandom("planted");
  const rows: LiteralRow[] = [];
  for (let day = 0; day < DAYS; day++) {
    const date = toIsoDay(FIRST + day);
    for (const sensor of SENSORS) {
      if ((sensor === LATE.sensor && day < LATE.day) || (sensor === DOWN.sensor && day >= DOWN.first && day <= DOWN.last)) continue;
      const here: { from: string; password: string; count: number }[] = [];
      for (let i = 0; i < 12; i++) {
        const users = poisson(random, 3 / (1 + i / 2));
        for (let n = 0; n < users; n++) {
          const from = `10.${Math.floor(random.next() * 250)}.${Math.floor(random.next() * 250)}.${day}`;
          here.push({ from, password: `usual${i}`, count: 1 + poisson(random, 2) });
        }
      }
      for (const [password, { prefix, rate }] of Object.entries(plants)) {
        const users = poisson(random, rate(day, sensor));
        const shift = Math.floor(random.next() * 40);
        for (let n = 0; n < users; n++) here.push({ from: `${prefix}${shift + n}`, password, count: 2 });
      }
      rows.push(...rowsOf(date, sensor, here));
      if (sensor === UPGRADE.sensor && day >= UPGRADE.day) rows.push(...eventRows(date, sensor, UPGRADE.eventid, ["10.0.0.1"], 48));
      if (spike && day === SPIKE.day && sensor === SPIKE.sensor) {
        rows.push({ kind: "connect", date, sensor, key: { src_ip: SPIKE.address, dst_port: 22 }, count: SPIKE.connections });
      }
    }
  }
  return rows;
}

function rowsOf(date: string, sensor: string, here: { from: string; password: string; count: number }[]): LiteralRow[] {
  const byPassword = Map.groupBy(here, ({ password }) => password);
  const logins = [...byPassword].flatMap(([password, list]): LiteralRow[] => {
    const from = [...new Set(list.map(one => one.from))];
    const count = list.reduce((sum, one) => sum + one.count, 0);
    const own: LiteralRow[] = [{ kind: "login", date, sensor, key: { username: "root", password }, count, from }];
    if (password in PLANTS) own.push({ kind: "command", date, sensor, key: { input: `./${password}.sh` }, count, from });
    return own;
  });
  const connects = [...Map.groupBy(here, ({ from }) => from)].map(
    ([src_ip, list]): LiteralRow => ({ kind: "connect", date, sensor, key: { src_ip, dst_port: 22 }, count: list.length }),
  );
  const all = [...new Set(here.map(({ from }) => from))];
  return [...logins, ...connects, ...eventRows(date, sensor, "cowrie.session.connect", all, 96)];
}

/** Spread over all hours, so that a sensor is watching in each. */
function eventRows(date: string, sensor: string, eventid: string, from: string[], count: number): LiteralRow[] {
  return Array.from({ length: 24 }, (_, hour): LiteralRow => {
    const us = Date.parse(date) * 1000 + (hour + 0.5) * 3_600_000_000;
    return { kind: "event", date, sensor, key: { eventid, hour }, count: count / 24, from, firstSeenUs: us, lastSeenUs: us };
  });
}

let table: ReducedTable;
let episodes: Episode[];
beforeAll(() => {
  table = buildReduced(plantedRows());
  episodes = findEpisodes(table);
});

/** The episodes that tell of a planted password. */
const about = (name: string, of = episodes) =>
  of.filter(({ keys }) => keys.some(({ family, values }) => family === "credential" && values[1] === name));
const days = ({ first, last }: Episode) => [first - FIRST, last - FIRST];

test("networks are counted by what addresses say, however they are written", () => {
  const masked = ["203.0.113.7", "2001:db8::1", "2001:0db8:0:1::2", "999.1.1.1"].map(FAMILIES.network.mask);
  expect(masked).toEqual(["203.0.113.0/24", "2001:db8:0::/48", "2001:db8:0::/48", "999.1.1.1"]);
});

describe("what changes on one sensor alone", () => {
  // Half as much again on the fleet, which is no level of its own there.
  const more = (day: number) => (day >= 33 ? 12 : 4);
  const found = (plants: typeof PLANTS) => about("local", findEpisodes(buildReduced(plantedRows({ spike: false, plants }))));
  const steady = (rate: (day: number, sensor: string) => number) => ({ local: { prefix: "198.51.100.", rate } });

  test("is told once, of that sensor only", () => {
    const [local, ...others] = found(steady((day, sensor) => (sensor === "ams" ? more(day) : 4)));
    expect(others).toEqual([]);
    expect(local).toMatchObject({ shape: "began", sensors: ["ams"], isLocal: true, isTested: true, ends: false });
    expect(days(local!)).toEqual([33, 59]);
    expect(sentence(local!)).toMatch(/^Since 3 Apr: more of credential `root \/ local`, [\d,]+ logins from \d+ addresses on `ams` only.*; [34]\.\d → 1[12] a day; still going\.$/);
    expect(episodeToPlain(local!)).toMatchObject({ only_there: true });
    expect(nameOf(local!)).toEqual(["credential", "root / local on ams"]);
  });

  test("is told of the fleet where all of them saw it, and of nobody where nobody did", () => {
    const [fleet, ...others] = found(steady(more));
    expect(others).toEqual([]);
    expect(fleet!.isLocal).toBeUndefined();
    expect(episodeToPlain(fleet!)).toMatchObject({ only_there: false });
    expect(nameOf(fleet!)).toEqual(["credential", "root / local"]);
    expect(found(steady(() => 4))).toEqual([]);
  });
});

describe("what was planted is found, each thing once", () => {
  test("a campaign that starts, with its command, on all sensors", () => {
    const [starts, ...more] = about("starts");
    expect(more).toEqual([]);
    expect(starts).toMatchObject({ shape: "began", begins: true, ends: false, isTested: true });
    expect(days(starts!)).toEqual([38, 59]);
    expect(starts!.sensors).toEqual(SENSORS);
    expect(starts!.keys.map(({ family }) => family)).toEqual(expect.arrayContaining(["credential", "command", "network"]));
    expect(starts!.sources).toBeGreaterThan(30);
    expect(sentence(starts!)).toMatch(/^Since 8 Apr: a new credential `root \/ starts`, [\d,]+ logins from \d+ addresses on all 4 sensors, with command `\.\/starts\.sh`.*; still going\.$/);
  });

  test("one that ends", () => {
    const [ends, ...more] = about("ends");
    expect(more).toEqual([]);
    expect(ends).toMatchObject({ shape: "ended", begins: false, ends: true });
    expect(days(ends!)).toEqual([0, 29]);
    expect(sentence(ends!)).toMatch(/^Until 30 Mar: credential `root \/ ends`, .* on 3 of 4 sensors, .*; then gone\.$/);
  });

  test("one that pauses for five days", () => {
    const [pauses, ...more] = about("pauses");
    expect(more).toEqual([]);
    expect(pauses!.shape).toBe("paused");
    expect(days(pauses!)).toEqual([44, 48]);
    expect(sentence(pauses!)).toMatch(/^14 to 18 Apr: a pause of credential `root \/ pauses`, .*; \d+ a day before, \d+ after\.$/);
  });

  test("a slow ramp", () => {
    const [ramp, ...more] = about("ramp");
    expect(more).toEqual([]);
    expect(ramp!.shape).toBe("ramp");
    expect(days(ramp!)[0]).toBeGreaterThan(12);
    expect(days(ramp!)[0]).toBeLessThan(24);
  });

  test("a spike of one address", () => {
    const [spike, ...more] = episodes.filter(({ keys }) => keys.some(({ values }) => values[0] === SPIKE.address));
    expect(more).toEqual([]);
    expect(spike).toMatchObject({ shape: "burst", sources: 1, events: 400, sensors: ["ams"], isTested: false });
    expect(days(spike!)).toEqual([20, 20]);
    expect(sentence(spike!)).toMatch(/^21 Mar: address `198\.19\.255\.1`, 400 connections \(\d\d\.\d % of all\) on `ams`\.$/);
  });

  test("an outage, a new sensor, an upgrade; each told as what it is, and nothing of it as attackers", () => {
    const ofSensors = newestFirst(episodes.filter(({ watch }) => watch !== undefined));
    expect(ofSensors.map(episode => [episode.shape, ...days(episode), episode.sensors[0]])).toEqual([
      ["upgrade", 41, 41, "sgp"],
      ["outage", 33, 36, "nyc"],
      ["new-sensor", 24, 24, "waw"],
    ]);
    expect(ofSensors.map(sentence)).toEqual([
      "11 Apr: `sgp` logs from here on `cowrie.client.kex`: probably another version of Cowrie.",
      "3 to 6 Apr: `nyc` did not watch for 96 hours.",
      "25 Mar: `waw` is new.",
    ]);
  });

  test("and nothing else that stands out as much", () => {
    const planted = new Set([...Object.keys(PLANTS).flatMap(name => about(name)), ...episodes.filter(({ watch }) => watch !== undefined)]);
    const others = episodes.filter(one => !planted.has(one) && !one.keys.some(({ values }) => values[0] === SPIKE.address));
    expect(others.map(sentence)).toEqual([]);
  });
});

const sentence = (episode: Episode) => toPlainSentence(describeEpisode(episode));

describe("laws", () => {
  test("the order of rows, and another sensor's name, change nothing", () => {
    const rows = plantedRows();
    expect(findEpisodes(buildReduced(rows.toReversed()))).toEqual(episodes);
  });

  test("a table that knows no addresses tells the same by events", () => {
    const blind = findEpisodes(buildReduced(plantedRows().map(({ from: _, ...row }) => row)));
    for (const name of ["starts", "ends"]) expect(about(name, blind).map(({ shape }) => shape)).toEqual(about(name).map(({ shape }) => shape));
    expect(about("starts", blind)[0]!.keys[0]!.sources).toBeUndefined();
  });

  test("an empty table, and one of three days, have no history", () => {
    expect(findEpisodes(buildReduced([]))).toEqual([]);
    const short = plantedRows().filter(({ date }) => date < toIsoDay(FIRST + 3));
    expect(findEpisodes(buildReduced(short))).toEqual([]);
  });

  test("texts of attackers stay what they are, and are shown harmless", () => {
    const rows = plantedRows().map(row =>
      row.key.password === "starts" ? { ...row, key: { ...row.key, password: "starts\u001b[2J`<b>" } } : row,
    );
    const found = findEpisodes(buildReduced(rows)).find(({ keys }) => String(keys[0]?.values[1]).startsWith("starts"));
    expect(found!.keys[0]!.values).toEqual(["root", "starts\u001b[2J`<b>"]);
    expect(sentence(found!)).toContain("`root / starts\\x1b[2J`<b>`");
  });
});

test("many addresses that each make little of a day are told once", () => {
  const rows = Array.from({ length: 20 }, (_, day) => {
    const date = toIsoDay(FIRST + day);
    const crowd = day !== 10 ? [] : Array.from({ length: 200 }, (_, i): LiteralRow => {
      return { kind: "connect", date, sensor: "a", key: { src_ip: `10.0.${i}.1`, dst_port: 22 }, count: 50 };
    });
    return [...eventRows(date, "a", "cowrie.session.connect", ["10.9.9.9"], 240), ...crowd];
  });
  const found = findEpisodes(buildReduced(rows.flat()));
  expect(found.map(sentence)).toEqual(["11 Mar: 200 addresses, first of all `10.0.0.1`, 10,000 connections (100.0 % of all)."]);
});

describe("output", () => {
  test("those that touch the days asked for; the first of attackers and of sensors, newest first", () => {
    const within = episodesWithin(episodes, FIRST + 33, FIRST + 36);
    expect(within.every(({ first, last }) => first <= FIRST + 36 && last >= FIRST + 33)).toBe(true);
    expect(within.map(({ shape }) => shape)).toContain("outage");
    const chosen = chooseEpisodes(episodes, 2);
    expect(chosen).toHaveLength(4);
    expect(chooseEpisodes(episodes, 0)).toHaveLength(episodes.length);
  });

  test("JSON and CSV hold the same", () => {
    const plain = episodes.map(episodeToPlain);
    const lines = [...historyToCsv(episodes)];
    expect(lines).toHaveLength(1 + episodes.length);
    expect(plain.length).toBeGreaterThan(Object.keys(PLANTS).length);
    plain.forEach(({ first_day, shape }, i) => expect(lines[i + 1]).toStartWith(`${shape as string},${first_day as string},`));
  });
});
