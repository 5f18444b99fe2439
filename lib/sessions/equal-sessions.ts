/**
 * Sessions that went the same way, as one: a scanner comes a thousand times and does one thing.
 *
 * Equal are sessions of the same steps with the same texts, whatever their addresses, sensors and times; how long they
 * took, and where their recordings lie, makes no difference.
 */
import { compareText } from "../text/text.ts";
import type { Story } from "./story.ts";
import type { Step } from "./story-steps.ts";

export type SessionRow = ReturnType<typeof groupEqual>[number];

/**
 * Put equal sessions together.
 *
 * @param stories In order of their start.
 * @returns Most frequent first, equal numbers by the start of the first session.
 */
export function groupEqual(stories: readonly Story[]) {
  const rows = [...Map.groupBy(stories, keyOf).values()].map(own => ({ story: own[0]!, stories: own }));
  // Sorting is stable: rows of one size stay in order of their first session.
  return rows.sort((a, b) => b.stories.length - a.stories.length);
}

/** Texts stand behind their lengths, so that no two of them are taken for others. */
function keyOf({ protocol, hasStart, hasEnd, steps }: Story): string {
  let key = `${protocol} ${hasStart} ${hasEnd}`;
  for (const step of steps) key += keyOfStep(step);
  return key;
}

function keyOfStep({ kind, eventid, what, parts, repeats }: Step): string {
  // Ports, durations, names of recordings: nothing that a session did.
  if (kind === "connection" || kind === "end" || what === "recording") return `;${eventid.length} ${eventid}`;
  let key = `,${eventid.length} ${eventid}${what.length} ${what}${repeats} ${parts.length}`;
  for (const { text } of parts) key += ` ${text.length} ${text}`;
  return key;
}

/** @param row Its sessions, at least one. */
export function rowFacts({ stories }: SessionRow) {
  const distinct = (texts: readonly string[]) => [...new Set(texts)].sort(compareText);
  const seconds = stories.map(({ durationSec }) => durationSec);
  return {
    firstUs: stories[0]!.startUs,
    lastUs: stories.at(-1)!.startUs,
    /** Distinct, sorted. */
    sensors: distinct(stories.map(({ sensor }) => sensor)),
    addresses: distinct(stories.flatMap(({ address }) => (address === undefined ? [] : [address]))),
    /** Shortest and longest. */
    durationsSec: [seconds.reduce((a, b) => Math.min(a, b)), seconds.reduce((a, b) => Math.max(a, b))],
  };
}
