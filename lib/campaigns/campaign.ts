/**
 * A campaign: its sessions added up, under an id that stays when days are added.
 *
 * Tested in `test/lib/campaigns/find-campaigns.test.ts`.
 */
import type { Dictionary } from "../columns/dictionary.ts";
import { networkOf } from "../text/network.ts";
import { techniquesOf } from "../text/techniques.ts";
import { compareText } from "../text/text.ts";
import { DAY_US } from "../text/time.ts";
import { nameCampaign } from "./campaign-name.ts";
import type { Joined } from "./join-sessions.ts";
import { type Mark, markId, MARK_KINDS, type MarkKind, RANK } from "./marks.ts";
import { NONE } from "./session-marks.ts";

/** Digits of an id; of those that would be the same, more. */
export const ID_DIGITS = 8;
const ID_DIGITS_MORE = 16;
/** Sessions by which a campaign is shown: its newest. */
const NEWEST = 5;

/** A value and the sessions of the campaign that have it. */
export interface Counted {
  readonly value: string;
  readonly sessions: number;
}

export interface CountedCredential {
  readonly username: string;
  readonly password: string;
  readonly sessions: number;
}

export interface CampaignChain {
  /** Masked. */
  readonly commands: readonly string[];
  /** More was typed behind them. */
  readonly isCut: boolean;
  readonly sessions: number;
}

export interface CampaignFile extends Counted {
  /** What it was called when it was moved first. */
  readonly name: string | undefined;
}

export interface CampaignKey {
  /** As ssh-keygen shows it, or as Cowrie does where the log has no more. */
  readonly fingerprint: string;
  readonly type: string | undefined;
  readonly comment: string | undefined;
  /** Sessions that wrote it into a file, and that offered it at login; and on which sensors. */
  readonly planted: number;
  readonly offered: number;
  readonly plantedOn: readonly string[];
  readonly offeredOn: readonly string[];
}

/** Sensors on which a key was offered that was planted on others only: whoever holds it came back elsewhere. */
export function offeredElsewhere({ plantedOn, offeredOn }: CampaignKey): string[] {
  return plantedOn.length === 0 ? [] : offeredOn.filter(sensor => !plantedOn.includes(sensor));
}

export interface CampaignClient extends Counted {
  /** Texts by which clients of this fingerprint call themselves. */
  readonly versions: readonly string[];
}

/** How sessions came together: a mark, how sure it makes, and who has it. */
export interface CampaignLink extends Mark {
  readonly weight: number;
  readonly sessions: number;
}

export type CampaignSession = ReturnType<typeof toSession>;

/**
 * How a campaign stands at the end of the days looked at: seen in the last ones for the first time, again after as many
 * without, in both, or not in the last; undefined where the logs are too short to tell.
 */
export type CampaignState = "new" | "returning" | "active" | "quiet";

export interface Campaign {
  /** Hexadecimal. */
  readonly id: string;
  /** From its own words: attackers' text. */
  readonly name: string;
  /** What the id is made of: the strongest mark of its first session. */
  readonly namedBy: Mark;
  readonly sessions: number;
  readonly firstUs: number;
  readonly lastUs: number;
  /** Days on which a session began, rising. */
  readonly days: readonly { readonly day: number; readonly sessions: number }[];
  readonly state: CampaignState | undefined;
  /** Sessions of the last days, and of as many before. */
  readonly now: number;
  readonly before: number;
  /** All lists by sessions falling, then value. */
  readonly sensors: readonly Counted[];
  readonly addresses: readonly Counted[];
  /** Distinct networks of {@link addresses}. */
  readonly networks: number;
  /** With which sessions were let in, the first of each. */
  readonly credentials: readonly CountedCredential[];
  readonly chains: readonly CampaignChain[];
  readonly hashes: readonly CampaignFile[];
  readonly hosts: readonly Counted[];
  readonly paths: readonly Counted[];
  readonly keys: readonly CampaignKey[];
  readonly clients: readonly CampaignClient[];
  /** ATT&CK techniques of what was typed, by the sessions that typed it; the values are ids. */
  readonly techniques: readonly Counted[];
  /** Marks that join, by weight and sessions falling. */
  readonly links: readonly CampaignLink[];
  /** Chains that are nearly equal to another one of the campaign, and the least share of those. */
  readonly near: { readonly chains: number; readonly leastShare: number } | undefined;
  readonly newest: readonly CampaignSession[];
}

export interface CampaignOptions {
  /** Days and sensors that are counted; what is joined does not depend on them. */
  readonly sinceDay?: number;
  readonly untilDay?: number;
  readonly sensors?: readonly string[];
  /** Sessions that a campaign has at least. */
  readonly minSessions: number;
  /** Days that are held against as many before. */
  readonly lastDays: number;
}

/** Sessions of each campaign, of the days and sensors that count, in order of their start. */
export interface Members {
  /** Number of the campaign -> its sessions. */
  readonly counted: ReadonlyMap<number, number[]>;
  /** Its first session, whether it counts or not: it gives the id. */
  readonly first: ReadonlyMap<number, number>;
  readonly firstDay: number;
  readonly lastDay: number;
  /** Sessions that count and share nothing with any other. */
  readonly alone: number;
  /** Sessions that count and left nothing that tells. */
  readonly unmarked: number;
}

export function listMembers({ campaign, sessions }: Joined, options: CampaignOptions): Members {
  const { count, firstUs, sensor, sensors, chain, markSet } = sessions;
  const { sinceDay = -Infinity, untilDay = Infinity, minSessions } = options;
  const wanted = options.sensors && new Set(options.sensors);
  const isWanted = Uint8Array.from(sensors, name => Number(wanted?.has(name) ?? true));
  const order = Int32Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => firstUs[a]! - firstUs[b]! || compareText(sensors[sensor[a]!]!, sensors[sensor[b]!]!) || compareText(sessions.idOf(a), sessions.idOf(b)),
  );
  const sizes = new Map<number, number>();
  for (const own of campaign) if (own !== NONE) sizes.set(own, (sizes.get(own) ?? 0) + 1);
  const counted = new Map<number, number[]>();
  const first = new Map<number, number>();
  let [alone, unmarked, firstDay, lastDay] = [0, 0, Infinity, -Infinity];
  for (const session of order) {
    const own = campaign[session]!;
    const day = Math.floor(firstUs[session]! / DAY_US);
    const isBig = own !== NONE && sizes.get(own)! >= minSessions;
    if (isBig && !first.has(own)) first.set(own, session);
    if (day < sinceDay || day > untilDay || isWanted[sensor[session]!] === 0) continue;
    const isMarked = chain[session] !== 0 || markSet[session] !== 0;
    if (!isMarked) continue;
    firstDay = Math.min(firstDay, day);
    lastDay = Math.max(lastDay, day);
    if (own === NONE) unmarked++;
    else if (!isBig) alone++;
    else if (counted.has(own)) counted.get(own)!.push(session);
    else counted.set(own, [session]);
  }
  return { counted, first, firstDay, lastDay, alone, unmarked };
}

/** A campaign that is told when it is asked for: what is told of all together is more than what is known of their sessions. */
export interface CampaignOutline extends Pick<Campaign, "id" | "sessions"> {
  /** By which {@link Joined} knows it. */
  readonly number: number;
  tell(): Campaign;
}

/** The campaigns by sessions falling, then id. */
export function outlineCampaigns(joined: Joined, members: Members, options: CampaignOptions): CampaignOutline[] {
  const near = nearByCampaign(joined);
  const named = [...members.counted.keys()].map(number => {
    const mark = namingMark(joined, members.first.get(number)!);
    return { number, mark, digest: markId(mark) };
  });
  const short = Map.groupBy(named, ({ digest }) => digest.slice(0, ID_DIGITS));
  const outlines = named.map(({ number, mark, digest }): CampaignOutline => {
    const isShared = short.get(digest.slice(0, ID_DIGITS))!.length > 1;
    const id = digest.slice(0, isShared ? ID_DIGITS_MORE : ID_DIGITS);
    const own = members.counted.get(number)!;
    const tell = (): Campaign => {
      const summary = summarize(joined, own, members, options);
      return { id, name: nameCampaign(summary), namedBy: mark, ...summary, near: near.get(number) };
    };
    return { id, number, sessions: own.length, tell };
  });
  return outlines.sort((a, b) => b.sessions - a.sessions || compareText(a.id, b.id));
}

/** A chain as the value of a mark. */
export function chainValue({ sessions }: Joined, chain: number): string {
  const { commands, isCut } = sessions.tree.read(chain);
  return [...commands.map(code => sessions.commands[code]!), ...(isCut ? ["…"] : [])].join("\n");
}

/** Marks of a session that join it to others, the strongest first. */
function joiningMarks(joined: Joined, session: number): Mark[] {
  const { sessions, isCommon, isEveryday, chainItem } = joined;
  const marks = sessions.markSets[sessions.markSet[session]!]!.filter(mark => isCommon[mark] === 0).map(mark => sessions.marks[mark]!);
  const chain = sessions.chain[session]!;
  const item = chain === 0 ? NONE : chainItem[chain]!;
  if (item !== NONE && isEveryday[item] === 0) marks.push({ kind: "chain", value: chainValue(joined, chain) });
  return marks.sort((a, b) => RANK.get(a.kind)! - RANK.get(b.kind)! || compareText(a.value, b.value));
}

function namingMark(joined: Joined, session: number): Mark {
  return joiningMarks(joined, session)[0]!;
}

function nearByCampaign({ near, campaign, sessions, chainItem }: Joined) {
  const ofItem = new Map<number, number>();
  for (let session = 0; session < sessions.count; session++) {
    const chain = sessions.chain[session]!;
    if (chain !== 0) ofItem.set(chainItem[chain]!, campaign[session]!);
  }
  const all = new Map<number, { chains: number; leastShare: number }>();
  for (const { a, share } of near) {
    const known = all.get(ofItem.get(a)!) ?? { chains: 1, leastShare: 1 };
    all.set(ofItem.get(a)!, { chains: known.chains + 1, leastShare: Math.min(known.leastShare, share) });
  }
  return all;
}

type Summary = Omit<Campaign, "id" | "name" | "namedBy" | "near">;

function summarize(joined: Joined, own: readonly number[], { firstDay, lastDay }: Members, options: CampaignOptions): Summary {
  const { sessions } = joined;
  const count = (codes: Int32Array) => countCodes(own, codes);
  const texts = (counts: ReadonlyMap<number, number>, dictionary: Dictionary): Counted[] =>
    rank([...counts].map(([code, n]) => ({ value: dictionary.text(code), sessions: n })));
  const addresses = texts(count(sessions.address), sessions.addresses);
  const marks = countMarks(joined, own);
  const listed = (kind: MarkKind) => rank(marks.filter(({ mark }) => mark.kind === kind).map(({ mark, sessions: n }) => ({ value: mark.value, sessions: n })));
  const days = [...countCodes(own, sessions.firstUs, us => Math.floor(us / DAY_US))].sort(([a], [b]) => a - b);
  const chains = listChains(joined, own);
  return {
    sessions: own.length,
    firstUs: sessions.firstUs[own[0]!]!,
    lastUs: own.reduce((last, session) => Math.max(last, sessions.lastUs[session]!), -Infinity),
    days: days.map(([day, n]) => ({ day, sessions: n })),
    ...standing(days, firstDay, lastDay, options.lastDays),
    sensors: rank([...count(sessions.sensor)].map(([code, n]) => ({ value: sessions.sensors[code]!, sessions: n }))),
    addresses,
    networks: new Set(addresses.map(({ value }) => networkOf(value) ?? value)).size,
    credentials: texts(count(sessions.credential), sessions.credentials).map(({ value, sessions: n }) => {
      const [username = "", password = ""] = value.split("\u0000");
      return { username, password, sessions: n };
    }),
    chains,
    hashes: rank(marks.filter(({ mark }) => mark.kind === "hash").map(({ code, mark, sessions: n }) => ({ value: mark.value, sessions: n, name: sessions.fileNames.get(code) }))),
    hosts: listed("host"),
    paths: listed("path"),
    keys: listKeys(joined, own),
    clients: listClients(joined, own),
    techniques: listTechniques(joined, chains),
    links: listLinks(joined, marks, chains),
    newest: own.slice(-NEWEST).reverse().map(session => toSession(joined, session)),
  };
}

export function toSession({ sessions }: Joined, session: number) {
  const address = sessions.address[session]!;
  return {
    sensor: sessions.sensors[sessions.sensor[session]!]!,
    session: sessions.idOf(session),
    address: address < 0 ? undefined : sessions.addresses.text(address),
    startUs: sessions.firstUs[session]!,
  };
}

/** How often each code occurs in some sessions; none is left out. */
function countCodes(own: readonly number[], codes: Int32Array | Float64Array, toCode = (code: number) => code): Map<number, number> {
  const counts = new Map<number, number>();
  for (const session of own) {
    const code = toCode(codes[session]!);
    if (code >= 0) counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return counts;
}

function rank<T extends Counted>(list: T[]): T[] {
  return list.sort((a, b) => b.sessions - a.sessions || compareText(a.value, b.value));
}

type CountedMark = ReturnType<typeof countMarks>[number];

function countMarks({ sessions }: Joined, own: readonly number[]) {
  const counts = new Map<number, number>();
  for (const [set, n] of countCodes(own, sessions.markSet)) {
    for (const mark of sessions.markSets[set]!) counts.set(mark, (counts.get(mark) ?? 0) + n);
  }
  return [...counts].map(([code, n]) => ({ code, mark: sessions.marks[code]!, sessions: n }));
}

function listChains({ sessions }: Joined, own: readonly number[]): CampaignChain[] {
  const counts = countCodes(own, sessions.chain);
  counts.delete(0);
  const chains = [...counts].map(([chain, n]) => {
    const { commands, isCut } = sessions.tree.read(chain);
    return { commands: commands.map(code => sessions.commands[code]!), isCut, sessions: n, chain };
  });
  // Chains are numbered by first sight.
  chains.sort((a, b) => b.sessions - a.sessions || a.chain - b.chain);
  return chains.map(({ chain: _, ...counted }) => counted);
}

const techniquesOfCommands = new WeakMap<Joined, Map<string, readonly string[]>>();

function listTechniques(joined: Joined, chains: readonly CampaignChain[]): Counted[] {
  let known = techniquesOfCommands.get(joined);
  if (known === undefined) techniquesOfCommands.set(joined, (known = new Map()));
  const counts = new Map<string, number>();
  for (const { commands, sessions } of chains) {
    const ids = new Set<string>();
    for (const command of commands) {
      let own = known.get(command);
      if (own === undefined) known.set(command, (own = techniquesOf(command)));
      for (const id of own) ids.add(id);
    }
    for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + sessions);
  }
  return rank([...counts].map(([value, sessions]) => ({ value, sessions })));
}

function listKeys(joined: Joined, own: readonly number[]): CampaignKey[] {
  const { marks, markSets, markSet, sensor, sensors, keys } = joined.sessions;
  const found = new Map<string, { planted: number; offered: number; plantedOn: Set<string>; offeredOn: Set<string> }>();
  const ofMd5 = new Map([...keys.values()].map(({ md5, fingerprint }) => [md5, fingerprint]));
  for (const session of own) {
    for (const mark of markSets[markSet[session]!]!) {
      const { kind, value } = marks[mark]!;
      if (kind !== "planted" && kind !== "offered") continue;
      const fingerprint = ofMd5.get(value) ?? value;
      let key = found.get(fingerprint);
      if (key === undefined) found.set(fingerprint, (key = { planted: 0, offered: 0, plantedOn: new Set(), offeredOn: new Set() }));
      key[kind]++;
      key[kind === "planted" ? "plantedOn" : "offeredOn"].add(sensors[sensor[session]!]!);
    }
  }
  return [...found]
    .map(([fingerprint, { plantedOn, offeredOn, ...counts }]) => {
      const { type, comment } = keys.get(fingerprint) ?? { type: undefined, comment: undefined };
      return { fingerprint, type, comment, ...counts, plantedOn: [...plantedOn].sort(), offeredOn: [...offeredOn].sort() };
    })
    .sort((a, b) => b.planted + b.offered - a.planted - a.offered || compareText(a.fingerprint, b.fingerprint));
}

function listClients({ sessions }: Joined, own: readonly number[]): CampaignClient[] {
  const versions = new Map<number, Set<number>>();
  for (const session of own) {
    const hassh = sessions.hassh[session]!;
    if (!versions.has(hassh)) versions.set(hassh, new Set());
    if (sessions.version[session]! >= 0) versions.get(hassh)!.add(sessions.version[session]!);
  }
  const named = (hassh: number) => [...(versions.get(hassh) ?? [])].map(code => sessions.versions.text(code)).sort(compareText);
  const clients = [...countCodes(own, sessions.hassh)].map(([hassh, n]) => ({ value: sessions.hasshes.text(hassh), sessions: n, versions: named(hassh) }));
  return rank(clients);
}

function listLinks({ isCommon }: Joined, marks: readonly CountedMark[], chains: readonly CampaignChain[]): CampaignLink[] {
  const weightOf = new Map<MarkKind, number>(MARK_KINDS.map(({ id, weight }) => [id, weight]));
  return [
    ...marks.filter(({ code }) => isCommon[code] === 0).map(({ mark, sessions }) => ({ ...mark, weight: weightOf.get(mark.kind)!, sessions })),
    ...chains.map(({ commands, sessions }) => ({ kind: "chain" as const, value: commands.join("\n"), weight: weightOf.get("chain")!, sessions })),
  ]
    .filter(({ sessions }) => sessions > 1)
    .sort((a, b) => b.weight - a.weight || b.sessions - a.sessions || compareText(a.value, b.value));
}

/** How the last days stand against those before; logs of too few days tell nothing. */
function standing(days: readonly (readonly [number, number])[], firstDay: number, lastDay: number, lastDays: number) {
  const since = lastDay - lastDays + 1;
  const sum = (from: number, to: number) => days.reduce((all, [day, n]) => (day >= from && day <= to ? all + n : all), 0);
  const now = sum(since, lastDay);
  const before = sum(since - lastDays, since - 1);
  const earlier = sum(-Infinity, since - lastDays - 1);
  const isKnown = firstDay < since;
  const state: CampaignState | undefined = !isKnown ? undefined : now === 0 ? "quiet" : before > 0 ? "active" : earlier > 0 ? "returning" : "new";
  return { state, now, before };
}

