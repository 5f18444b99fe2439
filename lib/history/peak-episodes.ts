/** What single addresses made of the peaks, told with the episodes they belong to. */
import type { ReducedTable } from "../reduced/reduced-table.ts";
import type { Episode, EpisodeKey } from "./episodes.ts";
import { findPeaks, leadersOfTable, type PeakLeader, type Peaks } from "./peaks.ts";

/**
 * The episodes with what single addresses made of peaks; a peak of which no episode tells is one of its own. By score.
 *
 * @param peaks Those that the leaders were looked for in.
 */
export function withPeaks(episodes: readonly Episode[], leaders: readonly PeakLeader[], peaks: Peaks): Episode[] {
  const told = new Map<Episode, PeakLeader[]>();
  const untold = new Map<string, PeakLeader[]>();
  for (const leader of leaders) {
    const episode = episodeOf(episodes, leader);
    if (episode === undefined) add(untold, `${leader.day} ${leader.address}`, leader);
    else if (!isSaid(episode, leader)) add(told, episode, leader);
  }
  const more = [...untold.values()].map(own => toEpisode(own, peaks));
  return [...episodes.map(one => (told.has(one) ? { ...one, peaks: [...(one.peaks ?? []), ...told.get(one)!] } : one)), ...more].sort((a, b) => b.score - a.score);
}

function add<Key>(lists: Map<Key, PeakLeader[]>, key: Key, leader: PeakLeader): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [leader]);
  else list.push(leader);
}

/** The episode of an address, on the day of its peak: one that it leads, the shortest of several. */
function episodeOf(episodes: readonly Episode[], { address, day }: PeakLeader): Episode | undefined {
  const isOwn = ({ family, values }: EpisodeKey) => (family === "address" || family === "user") && values[0] === address;
  const own = episodes.filter(({ keys, first, last }) => first <= day && last >= day && keys.some(isOwn));
  const isLed = ({ keys }: Episode) => Number(isOwn(keys[0]!));
  return own.sort((a, b) => isLed(b) - isLed(a) || a.last - a.first - (b.last - b.first))[0];
}

/** Whether the episode's own number is the same. */
function isSaid({ keys: [lead], alike, events, peaks = [] }: Episode, { address, activity, count }: PeakLeader): boolean {
  const isOwn = lead!.values[0] === address && alike === 1 && events === count;
  return (isOwn && lead!.family === "user" && activity === "proxy requests") || peaks.some(one => one.activity === activity && one.address === address);
}

function toEpisode(leaders: readonly PeakLeader[], { firstDay, perDay }: Peaks): Episode {
  const [{ activity, day, address, count, total }] = leaders as [PeakLeader];
  const sensors = [...new Set(leaders.flatMap(leader => leader.sensors))];
  return {
    ...{ shape: "peak", first: day, last: day, begins: true, ends: true, sensors, sensorsWatching: sensors.length },
    ...{ sources: 1, events: count, alike: 1, isTested: false, surprise: 0 },
    keys: [{ family: "address", values: [address], events: count, share: count / total, sources: 1, before: null, level: count, after: null }],
    perDay: { firstDay, counts: perDay[activity] },
    peaks: leaders,
    // About that of an address that made as much of a day's connections.
    score: (100 * count) / total,
  };
}

/** The episodes of a table with what it knows itself of the peaks. */
export function withTablePeaks(table: ReducedTable, episodes: readonly Episode[]): Episode[] {
  const peaks = findPeaks(table);
  return withPeaks(episodes, leadersOfTable(table, peaks), peaks);
}
