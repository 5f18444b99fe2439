/** Believable chains and sessions for a fleet of `report-fleet.ts`, as event tables would give them. */
import type { ChainCounts } from "../../lib/sessions/chain-counts.ts";
import type { Tally } from "../../lib/sessions/tally.ts";
import { purposeOf } from "../../lib/text/purpose.ts";
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import { buildChainsData } from "../../lib/view/report-chains.ts";
import type { ReportData } from "../../lib/view/report-data.ts";
import type { ReportSessions } from "../../lib/pages/report-sessions.ts";
import { buildTrailsData, toTrailQueries } from "../../lib/view/report-trails.ts";
import { NewestSessions, toTrailLimits } from "../../lib/sessions/newest-sessions.ts";
import { seededRandom } from "./random.ts";

const STEPS = 6;
/** Sessions of a value. */
const SESSIONS_DRAWN = 80;
const KIT = { scripts: "/home/me/toolkit/scripts", folders: ["/home/me/toolkit/", "/srv/honeypots/"] };

/** @param chains Different chains; the leaders come on every sensor-day, the others ever more seldom. */
export function buildFleetSessions(
  table: ReducedTable,
  data: ReportData,
  { chains = 400, where = "logs" }: { readonly chains?: number; readonly where?: string } = {},
): ReportSessions {
  const source = seededRandom(7);
  const random = () => source.next();
  const counts = buildCounts(table, data, chains, random);
  const carried = buildChainsData(counts, data.grid, table.dictionaries.sensor, purposeOf);
  const queries = toTrailQueries(data);
  const { firstDay, days, sensors } = data.grid;
  const limits = toTrailLimits(firstDay + days - 1, sensors);
  const trails = queries.map(({ keys, firstSeenUs, lastSeenUs }) =>
    keys.map((_, key) => {
      const newest = new NewestSessions(limits);
      for (let i = 0; i < SESSIONS_DRAWN; i++) {
        const { us, sensor, session, address } = drawSession(table, firstSeenUs[key]!, lastSeenUs[key]!, i, random);
        newest.add(us, sensor, session, address);
      }
      return newest.finish();
    }),
  );
  return {
    ...(carried !== undefined && { chains: carried }),
    trails: buildTrailsData(queries, trails, { where, ...KIT }, limits.lastDay, data.sensors),
  };
}

function drawSession({ dictionaries }: ReducedTable, firstUs: number, lastUs: number, i: number, random: () => number) {
  const pick = (texts: readonly string[]) => texts[Math.floor(random() * texts.length)]!;
  return {
    us: i === 0 ? lastUs : firstUs + Math.floor(random() * (lastUs - firstUs)),
    sensor: pick(dictionaries.sensor),
    session: Array.from({ length: 12 }, () => Math.floor(random() * 16).toString(16)).join(""),
    address: pick(dictionaries.src_ip),
  };
}

function buildCounts(table: ReducedTable, { grid, events }: ReportData, n: number, random: () => number): ChainCounts {
  const commands = [...table.dictionaries.input];
  const list = Array.from({ length: n }, (_, i) => ({
    commands: Array.from(
      { length: 1 + Math.floor(random() * STEPS) },
      (_, step) =>
        Math.floor(Math.abs(random() - random()) * Math.min(commands.length, 12 + i) + step) % commands.length,
    ).filter((code, step, codes) => code !== codes[step - 1]),
    rate: 6 / (i + 1),
    from: i % 4 === 0 ? 0 : random() * 0.7,
    tally: { day: [] as number[], sensor: [] as number[], count: [] as number[] },
    sessions: 0,
  }));
  for (const cell of events.at) {
    const day = Math.floor(cell / grid.sensors);
    for (const chain of list) {
      if (day / grid.days < chain.from) continue;
      const count = Math.floor(chain.rate * (0.5 + random()) + random());
      if (count === 0) continue;
      chain.tally.day.push(grid.firstDay + day);
      chain.tally.sensor.push(cell % grid.sensors);
      chain.tally.count.push(count);
      chain.sessions += count;
    }
  }
  const toTally = ({ day, sensor, count }: (typeof list)[number]["tally"]): Tally => ({
    day: Int32Array.from(day),
    sensor: Int32Array.from(sensor),
    count: Int32Array.from(count),
  });
  const byCommands = new Map(list.map(chain => [chain.commands.join(" "), chain]));
  const chains = [...byCommands.values()]
    .filter(({ sessions }) => sessions > 0)
    .sort((a, b) => b.sessions - a.sessions)
    .map(({ commands: codes, sessions, tally }) => ({
      commands: codes,
      isCut: codes.length === STEPS,
      sessions,
      addresses: Math.ceil(sessions / 3),
      tally: toTally(tally),
    }));
  return {
    steps: STEPS,
    commands,
    sensors: table.dictionaries.sensor,
    sessions: chains.reduce((sum, { sessions }) => sum + sessions, 0),
    distinct: chains.length,
    chains,
    rest: { day: new Int32Array(0), sensor: new Int32Array(0), count: new Int32Array(0) },
  };
}
