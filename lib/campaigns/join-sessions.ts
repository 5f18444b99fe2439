/**
 * Which sessions belong together: those that share a mark that is not common, an equal chain, or a nearly equal one.
 *
 * What is common is judged by who shares it, not by how many: one bot may be nearly all of an archive, and its file, its
 * host and its chain must not count as everybody's. A mark is common where more than a twentieth of the sessions that left
 * something have it, *and* their chains are of more than eight kinds; of one kind are chains already where a third of them
 * is the same, for a bot whose commands are drawn at random has many chains and is one. Keys never are common: nobody plants
 * or holds another's. Chains of a few everyday commands always are.
 *
 * Tested in `test/lib/campaigns/find-campaigns.test.ts`.
 */
import { NO_CHAIN } from "../sessions/chain-tree.ts";
import { isEverydayChain } from "./everyday.ts";
import { Groups } from "./groups.ts";
import { ALIKE_MIN, NEAR_MIN, NearChains, type NearPair } from "./near-chains.ts";
import { type MarkedSessions, NONE } from "./session-marks.ts";

/** Share of the sessions, and kinds of chains, above which a mark is common. */
const COMMON_SHARE = 0.05;
const COMMON_KINDS = 8;
/** Marks that are looked at so: there can be no more than some twenty of a kind in honest logs. */
const SUSPECTS_MOST = 64;

/** Sessions and what joins them. Items are chains, then marks. */
export interface Joined {
  readonly sessions: MarkedSessions;
  /** Sessions that left something. */
  readonly marked: number;
  /** `chainItem[chain]` = its item, {@link NONE} of a chain that no session has. */
  readonly chainItem: Int32Array;
  /** Chains by item. */
  readonly chains: readonly number[];
  /** Chains that join nobody, by item. */
  readonly isEveryday: Uint8Array;
  /** Marks that join nobody, by code; and the sessions and groups of chains that have each. */
  readonly isCommon: Uint8Array;
  readonly markSessions: Int32Array;
  /** Chains that are joined since they are nearly equal; items. */
  readonly near: readonly NearPair[];
  /** Chains that were held against none, since there were too many. */
  readonly notCompared: number;
  readonly pairs: readonly Pair[];
  /** `campaign[session]` = number of its campaign, which is an item; {@link NONE} = it shares nothing that tells. */
  readonly campaign: Int32Array;
}

export function joinSessions(sessions: MarkedSessions): Joined {
  const { chains, chainItem, pairs } = listPairs(sessions);
  const commandsOf = chains.map(chain => sessions.tree.read(chain).commands.map(code => sessions.commands[code]!));
  const isEveryday = Uint8Array.from(commandsOf, commands => Number(isEverydayChain(commands)));
  const chainsByWords = new NearChains(commandsOf.map((commands, item) => (isEveryday[item] === 1 ? undefined : commands)));
  const byWords = new Groups(chains.length);
  const near = chainsByWords.join(byWords.items(), byWords, NEAR_MIN);
  const { markSessions, isCommon } = findCommon(sessions, pairs, byWords, isEveryday, chainsByWords);

  const groups = new Groups(chains.length + sessions.marks.length);
  for (const { a, b } of near) groups.join(a, b);
  joinKeys(sessions, groups, chains.length);
  const known = { sessions, chains, isEveryday, isCommon };
  const anchors = pairs.map(pair => {
    const [anchor, ...others] = joiningItems(known, pair);
    for (const other of others) groups.join(anchor!, other);
    return anchor ?? NONE;
  });
  const campaign = new Int32Array(sessions.count).fill(NONE);
  let marked = 0;
  pairs.forEach(({ sessions: own }, i) => {
    marked += own.length;
    if (anchors[i] !== NONE) for (const session of own) campaign[session] = groups.find(anchors[i]!);
  });
  return { sessions, marked, chainItem, chains, isEveryday, isCommon, markSessions, near, notCompared: chainsByWords.left, pairs, campaign };
}

/** What of a pair joins its sessions to others. */
export function joiningItems(
  { sessions, chains, isEveryday, isCommon }: Pick<Joined, "sessions" | "chains" | "isEveryday" | "isCommon">,
  { item, set }: Pair,
): number[] {
  const marks = sessions.markSets[set]!.filter(mark => isCommon[mark] === 0).map(mark => chains.length + mark);
  return item === NONE || isEveryday[item] === 1 ? marks : [item, ...marks];
}

/** Sessions of one chain and one set of marks: whatever is done, is done once for all of them. */
export interface Pair {
  /** {@link NONE} where nothing was typed. */
  readonly item: number;
  readonly set: number;
  readonly sessions: number[];
}

/** Chains and pairs in the order of their first sessions, so that numbers do not depend on the order of the tables. */
function listPairs({ count, chain, markSet, tree, firstUs, markSets }: MarkedSessions) {
  const order = Int32Array.from({ length: count }, (_, i) => i).sort((a, b) => firstUs[a]! - firstUs[b]! || a - b);
  const chainItem = new Int32Array(tree.size).fill(NONE);
  const chains: number[] = [];
  const pairs = new Map<number, Pair>();
  for (const session of order) {
    const [own, set] = [chain[session]!, markSet[session]!];
    if (own === NO_CHAIN && set === 0) continue;
    if (own !== NO_CHAIN && chainItem[own] === NONE) chainItem[own] = chains.push(own) - 1;
    const key = own * markSets.length + set;
    const pair = pairs.get(key);
    if (pair !== undefined) pair.sessions.push(session);
    else pairs.set(key, { item: own === NO_CHAIN ? NONE : chainItem[own]!, set, sessions: [session] });
  }
  return { chains, chainItem, pairs: [...pairs.values()] };
}

/** Which marks are common. */
function findCommon(sessions: MarkedSessions, pairs: readonly Pair[], byWords: Groups, isEveryday: Uint8Array, words: NearChains) {
  const markSessions = new Int32Array(sessions.marks.length);
  let marked = 0;
  for (const { set, sessions: own } of pairs) {
    marked += own.length;
    for (const mark of sessions.markSets[set]!) markSessions[mark]! += own.length;
  }
  const isKey = (mark: number) => sessions.marks[mark]!.kind === "planted" || sessions.marks[mark]!.kind === "offered";
  const suspects = [...markSessions.keys()].filter(mark => markSessions[mark]! > COMMON_SHARE * marked && !isKey(mark));
  suspects.sort((a, b) => markSessions[b]! - markSessions[a]! || a - b);
  const itemsOf = new Map<number, Set<number>>(suspects.slice(0, SUSPECTS_MOST).map(mark => [mark, new Set()]));
  for (const { item, set } of pairs) for (const mark of sessions.markSets[set]!) itemsOf.get(mark)?.add(item);

  // What was typed every day, or not at all, tells no kind from another: together they are one.
  const kindOf = (groups: Groups, item: number) => (item === NONE || isEveryday[item] === 1 ? NONE : groups.find(item));
  const isCommon = new Uint8Array(sessions.marks.length);
  for (const mark of suspects) {
    const own = [...(itemsOf.get(mark) ?? [])];
    const groups = byWords.copy();
    words.join(own.filter(item => item !== NONE), groups, ALIKE_MIN);
    const kinds = new Set(own.map(item => kindOf(groups, item))).size;
    isCommon[mark] = Number(own.length === 0 || kinds > COMMON_KINDS);
  }
  return { markSessions, isCommon };
}

/** A key is one, planted or offered, and under whichever of its fingerprints. */
function joinKeys(sessions: MarkedSessions, groups: Groups, offset: number): void {
  for (const same of keyMarks(sessions)) for (const mark of same) groups.join(offset + same[0]!, offset + mark);
}

/** Marks of one key each, where there are several. */
export function keyMarks({ marks, keys }: MarkedSessions): number[][] {
  const ofMd5 = new Map([...keys.values()].map(({ md5, fingerprint }) => [md5, fingerprint]));
  const isKey = (mark: number) => marks[mark]!.kind === "planted" || marks[mark]!.kind === "offered";
  const keyOf = (mark: number) => ofMd5.get(marks[mark]!.value) ?? marks[mark]!.value;
  const ofKey = Map.groupBy([...marks.keys()].filter(isKey), keyOf);
  return [...ofKey.values()].filter(same => same.length > 1);
}
