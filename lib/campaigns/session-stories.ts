/**
 * What was typed in the sessions of a few days, as stories: sessions that typed, or left, the same are one, the most telling
 * first.
 *
 * What tells most is a file, then a key planted, then a host that something was asked of, then what the commands are for
 * and how many different ones there are; then how many sessions did it.
 */
import type { EventScope } from "../events/scope.ts";
import { NO_CHAIN } from "../sessions/chain-tree.ts";
import { SENSORS_MOST, type Tally, toTally } from "../sessions/tally.ts";
import { type Purpose, PURPOSES } from "../text/purpose-names.ts";
import { purposeOf } from "../text/purpose.ts";
import { dayOf } from "../text/time.ts";
import type { MarkKind } from "./marks.ts";
import { type MarkedSessions, NONE } from "./session-marks.ts";

/** Longer archives are told by what happened. */
export const STORY_DAYS = 3;
/** Stories that are told, and commands and values of each. */
const STORIES_MOST = 12;
const COMMANDS_MOST = 8;
const VALUES_MOST = 3;
/** Marks by which sessions that typed something else did the same. */
const LEFT: ReadonlySet<MarkKind> = new Set(["hash", "planted"]);

export interface SessionStory {
  /** Masked, repeats in a row merged; the first of them, and how many there are. */
  readonly commands: readonly string[];
  readonly all: number;
  /** More was typed than is told apart. */
  readonly isCut: boolean;
  /** Chains that are told as this one, which is that of the first session. */
  readonly variants: number;
  /** What the weightiest of them is for. */
  readonly purpose: Purpose;
  /** The first session that did it. */
  readonly us: number;
  readonly sensor: string;
  readonly session: string;
  readonly address: string | null;
  /** Of the first session; null where it is not known. */
  readonly credential: readonly [username: string, password: string] | null;
  readonly addresses: number;
  /** Hashes, hosts, and keys planted, of all of them. */
  readonly files: readonly string[];
  readonly filesAll: number;
  readonly hosts: readonly string[];
  readonly planted: number;
  /** Sessions by day and sensor; names stand in {@link StoryCounts}. */
  readonly tally: Tally;
}

export interface StoryCounts {
  readonly sensors: readonly string[];
  readonly stories: readonly SessionStory[];
  /** Different ones there are. */
  readonly all: number;
}

/** Tell the stories of the sessions that typed something on the days and sensors asked for. */
export function tellStories(sessions: MarkedSessions, { sinceDay = -Infinity, untilDay = Infinity, sensors }: EventScope): StoryCounts {
  const byChain = new Map<number, number[]>();
  const wanted = sensors && new Set(sensors);
  for (let session = 0; session < sessions.count; session++) {
    const chain = sessions.chain[session]!;
    const day = dayOf(sessions.firstUs[session]!);
    if (chain === NO_CHAIN || day < sinceDay || day > untilDay || wanted?.has(sessions.sensors[sessions.sensor[session]!]!) === false) continue;
    const like = byChain.get(chain);
    if (like === undefined) byChain.set(chain, [session]);
    else like.push(session);
  }
  const ranked = joinVariants(sessions, byChain)
    .map(variants => rank(sessions, variants))
    .sort((a, b) => b.weight - a.weight || b.own.length - a.own.length || sessions.firstUs[a.own[0]!]! - sessions.firstUs[b.own[0]!]!);
  return { sensors: sessions.sensors, stories: ranked.slice(0, STORIES_MOST).map(one => toStory(sessions, one)), all: ranked.length };
}

/** Chains that left the same files and keys are one story; of those that left none each is its own. */
function joinVariants(sessions: MarkedSessions, byChain: ReadonlyMap<number, number[]>): [chain: number, own: number[]][][] {
  const byMarks = new Map<string, [number, number[]][]>();
  for (const [chain, own] of byChain) {
    const marks = [...new Set(own.flatMap(session => sessions.markSets[sessions.markSet[session]!] ?? []))].filter(code => LEFT.has(sessions.marks[code]!.kind));
    const key = marks.length === 0 ? `chain ${chain}` : marks.sort((a, b) => a - b).join(" ");
    byMarks.set(key, [...(byMarks.get(key) ?? []), [chain, own]]);
  }
  return [...byMarks.values()];
}

type Ranked = ReturnType<typeof rank>;

function rank(sessions: MarkedSessions, variants: readonly (readonly [chain: number, own: readonly number[]])[]) {
  const own = variants.flatMap(([, list]) => list).sort((a, b) => sessions.firstUs[a]! - sessions.firstUs[b]! || a - b);
  const { commands: codes, isCut } = sessions.tree.read(sessions.chain[own[0]!]!);
  const commands = codes.map(code => sessions.commands[code]!);
  const weightOf = (purpose: Purpose) => PURPOSES.length - PURPOSES.findIndex(({ id }) => id === purpose);
  const purpose = commands.map(purposeOf).reduce((most, one) => (weightOf(one) > weightOf(most) ? one : most), "other");
  const codesOfMarks = new Set(own.flatMap(session => sessions.markSets[sessions.markSet[session]!] ?? []));
  const marks = Map.groupBy([...codesOfMarks].map(code => sessions.marks[code]!), ({ kind }) => kind);
  const values = new Map([...marks].map(([kind, list]) => [kind, list.map(({ value }) => value)] as const));
  const has = (kind: MarkKind) => Number(values.has(kind));
  const weight = 100 * has("hash") + 60 * has("planted") + 40 * has("host") + 4 * weightOf(purpose) + Math.min(20, new Set(commands).size);
  return { variants: variants.length, own, commands, isCut, purpose, marks: values, weight };
}

function toStory(sessions: MarkedSessions, { variants, own, commands, isCut, purpose, marks }: Ranked): SessionStory {
  const [first] = own as [number];
  const cells = new Map<number, number>();
  for (const session of own) {
    const cell = dayOf(sessions.firstUs[session]!) * SENSORS_MOST + sessions.sensor[session]!;
    cells.set(cell, (cells.get(cell) ?? 0) + 1);
  }
  const addressOf = (session: number) => sessions.address[session]!;
  const credential = sessions.credential[first]!;
  const [username = "", password = ""] = credential === NONE ? [] : sessions.credentials.text(credential).split("\u0000");
  return {
    commands: commands.slice(0, COMMANDS_MOST),
    all: commands.length,
    isCut,
    variants,
    purpose,
    us: sessions.firstUs[first]!,
    sensor: sessions.sensors[sessions.sensor[first]!]!,
    session: sessions.idOf(first),
    address: addressOf(first) === NONE ? null : sessions.addresses.text(addressOf(first)),
    credential: credential === NONE ? null : [username, password],
    addresses: new Set(own.map(addressOf).filter(address => address !== NONE)).size,
    files: (marks.get("hash") ?? []).slice(0, VALUES_MOST),
    filesAll: marks.get("hash")?.length ?? 0,
    hosts: (marks.get("host") ?? []).slice(0, VALUES_MOST),
    planted: marks.get("planted")?.length ?? 0,
    tally: toTally(cells),
  };
}
