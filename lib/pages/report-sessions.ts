/**
 * What a report shows of sessions, put together from event tables and the reduced table.
 *
 * Tested in `test/browser/report-sessions.test.ts`.
 */
import { dirname, resolve } from "node:path";
import { textOf } from "../columns/dictionary.ts";
import type { LeadingCampaign } from "../campaigns/leading-campaign.ts";
import { peaksBesideTable, type PeakLeader } from "../history/peaks.ts";
import type { KindTable, ReducedTable } from "../reduced/reduced-table.ts";
import type { StoredTable } from "../reduced/stored-table.ts";
import { purposeOf } from "../text/purpose.ts";
import { techniqueName } from "../text/techniques.ts";
import { buildCampaignsData } from "../view/report-campaigns.ts";
import { buildChainsData } from "../view/report-chains.ts";
import { buildDurationsData } from "../view/report-durations.ts";
import type { PageData } from "../view/page-data.ts";
import type { ReportData } from "../view/report-data.ts";
import { buildMinutesData, type MinutesData } from "../view/report-minutes.ts";
import { buildSessionReach, type SessionReach } from "../view/report-reach.ts";
import { buildStoriesData } from "../view/report-stories.ts";
import { buildTrailsData, toTrailQueries, TRAIL_KEYS, type TrailPlaces, type TrailsData } from "../view/report-trails.ts";
import { cutLong } from "../text/cut.ts";
import { NewestSessions, toTrailLimits, type Trail, type TrailLimits } from "../sessions/newest-sessions.ts";
import type { SessionWork } from "./session-work.ts";
import { quoteShell } from "../text/shell.ts";
import { SCRIPTS } from "../process/scripts.ts";

/** Inputs that a command names; of more it says LOGS. */
const INPUTS_NAMED = 4;
/** Folders of so few characters are shown. */
const FOLDER_SHORT = 12;

/** What there is nothing of is left out. */
export interface ReportSessions extends Pick<PageData, "chains" | "campaigns" | "durations" | "stories"> {
  readonly trails: TrailsData;
  /** Left out where sessions were not counted. */
  readonly reach?: SessionReach;
  readonly minutes?: MinutesData;
  readonly leading?: LeadingCampaign;
  /** What single addresses made of peaks, beside what the table knows. */
  readonly leaders?: readonly PeakLeader[];
}

/** All rows of the last commands of sessions, part by part, as they were counted. */
export interface LastCommands {
  readonly sensors: readonly string[];
  readonly textOf: (name: "input" | "session", code: number) => string;
  readonly lastCommands: Iterable<KindTable>;
}

export function lastCommandsOf({ dictionaries, kinds }: ReducedTable): LastCommands {
  return { sensors: dictionaries.sensor, textOf: (name, code) => dictionaries[name][code]!, lastCommands: [kinds.last_command] };
}

/** The same of a table that stays in its file. */
export function storedLastCommands(stored: StoredTable): LastCommands {
  // Of millions of sessions a few hundred are told.
  const textAt: LastCommands["textOf"] = (name, code) => textOf(stored.textsOf(name), code);
  return { sensors: stored.dictionaries.sensor, textOf: textAt, lastCommands: { [Symbol.iterator]: () => stored.parts("last_command") } };
}

/**
 * Gather what the report tells of sessions.
 *
 * @param drawn The table as the report draws it.
 */
export async function collectSessions(
  work: SessionWork,
  counted: LastCommands,
  drawn: ReducedTable,
  data: ReportData,
  places: TrailPlaces,
): Promise<ReportSessions> {
  const queries = toTrailQueries(data);
  const { firstDay, days, sensors } = data.grid;
  const limits = toTrailLimits(firstDay + days - 1, sensors);
  const [counts, trails, leaders, byMinute] = await Promise.all([
    work.counts,
    work.findTrails(queries, limits),
    work.findLeaders(peaksBesideTable(drawn)),
    work.countMinutes(),
  ]);
  const last = data.sections.find(({ id }) => id === "last-commands");
  if (last !== undefined) {
    const keys = last.keys.slice(0, TRAIL_KEYS);
    const { firstSeenUs, lastSeenUs } = last;
    queries.push({ id: last.id, eventids: [], columns: ["input"], keys, firstSeenUs, lastSeenUs });
    trails.push(
      findLastCommands(
        counted,
        keys.map(([input]) => input as string),
        limits,
      ),
    );
  }
  const durations = buildDurationsData(counts.durations, data.grid, drawn.dictionaries.sensor);
  const chains = buildChainsData(counts.chains, data.grid, drawn.dictionaries.sensor, purposeOf);
  const campaigns = buildCampaignsData(counts.campaigns, data.grid, drawn.dictionaries.sensor, purposeOf, techniqueName);
  const stories = counts.stories && buildStoriesData(counts.stories, data.grid, drawn.dictionaries.sensor);
  const minutes = byMinute && buildMinutesData(byMinute, data.grid, drawn.dictionaries.sensor, timesOf(drawn));
  return {
    ...(stories !== undefined && { stories }),
    ...(minutes !== undefined && { minutes }),
    ...(campaigns !== undefined && { campaigns }),
    ...(chains !== undefined && { chains }),
    ...(durations !== undefined && { durations }),
    leaders,
    ...(counts.leading && { leading: counts.leading }),
    reach: buildSessionReach(counts.reach, data.grid, drawn.dictionaries.sensor),
    trails: buildTrailsData(queries, trails, places, limits.lastDay, data.sensors),
  };
}

function timesOf({ kinds: { event } }: ReducedTable): { firstUs: number; lastUs: number } {
  return {
    firstUs: event.firstSeenUs.reduce((least, us) => Math.min(least, us), Infinity),
    lastUs: event.lastSeenUs.reduce((most, us) => Math.max(most, us), -Infinity),
  };
}

/** The newest sessions that ended with a command: which these are is known to the reduced table alone. */
function findLastCommands(
  { lastCommands, sensors: names, textOf }: LastCommands,
  inputs: readonly string[],
  limits: TrailLimits,
): Trail[] {
  const trails = inputs.map(() => new NewestSessions(limits));
  const slots = new Map(inputs.map((input, i) => [input, i]));
  const ofCode = new Map<number, number>();
  const slotOf = (code: number) => {
    let slot = ofCode.get(code);
    if (slot === undefined) ofCode.set(code, (slot = slots.get(cutLong(textOf("input", code))) ?? -1));
    return slot;
  };
  for (const { rows, keys, sensor: sensors, lastSeenUs } of lastCommands) {
    const { input, session } = keys as { readonly input: Int32Array; readonly session: Int32Array };
    for (let row = 0; row < rows; row++) {
      const slot = input[row]! < 0 ? -1 : slotOf(input[row]!);
      if (slot < 0) continue;
      trails[slot]!.add(lastSeenUs[row]!, names[sensors[row]!]!, textOf("session", session[row]!), null);
    }
  }
  return trails.map(trail => trail.finish());
}

export interface WhereOptions {
  readonly mappedDir?: string | undefined;
  readonly sensorAlias?: string | undefined;
}

/** The scripts and the logs of a run as a command names them in any folder. */
export function toPlaces(inputs: readonly string[], { mappedDir, sensorAlias }: WhereOptions): TrailPlaces {
  const isNamed = inputs.length <= INPUTS_NAMED && !inputs.includes("-");
  const logs = isNamed ? inputs.map(path => resolve(path)) : [];
  const options = [
    ...(mappedDir === undefined ? [] : [["--mapped-dir", resolve(mappedDir)] as const]),
    ...(sensorAlias === undefined ? [] : [["--sensor-alias", resolve(sensorAlias)] as const]),
  ];
  const paths = [SCRIPTS, ...logs, ...options.map(([, path]) => path)];
  const folders = new Set(paths.map(path => `${dirname(path)}/`).filter(folder => folder.length > FOLDER_SHORT));
  return {
    where: [
      ...(isNamed ? logs.map(quoteShell) : ["LOGS"]),
      ...options.map(([flag, path]) => `${flag} ${quoteShell(path)}`),
    ].join(" "),
    scripts: SCRIPTS,
    // The longest first: one may lie in another.
    folders: [...folders].sort((a, b) => b.length - a.length),
  };
}
