/**
 * Why two sessions are together, or are not: what both have, the shortest way of links from one to the other, and what
 * they share that joins nobody.
 *
 * Tested in `test/lib/campaigns/find-campaigns.test.ts`.
 */
import { type CampaignSession, chainValue, toSession } from "./campaign.ts";
import { type Joined, joiningItems, keyMarks } from "./join-sessions.ts";
import type { Mark } from "./marks.ts";
import { nearness } from "./near-chains.ts";
import { NONE } from "./session-marks.ts";

/** One link of the way: a mark that both ends have, or two chains that are nearly equal. */
export interface WhyStep {
  /** What the way has come to. */
  readonly mark: Mark;
  /** Share of what the chain before this one has in common with it; undefined where the two stand in one session. */
  readonly near: number | undefined;
  /** Has this mark and the one before; undefined for the first mark, and for chains that are near. */
  readonly by: CampaignSession | undefined;
}

export interface Why {
  readonly a: CampaignSession;
  readonly b: CampaignSession;
  readonly isTogether: boolean;
  /** From a mark of the first to one of the second; one step where they share it; empty where they are not together. */
  readonly way: readonly WhyStep[];
  /** All marks that both have and that join. */
  readonly shared: readonly Mark[];
  /** Marks that both have and that join nobody, with the sessions that have each. */
  readonly common: readonly (Mark & { readonly sessions: number | undefined })[];
  /** Share of what their chains have in common. */
  readonly near: number;
}

/** Sessions of an id, on whatever sensor; only such as left something. */
export function sessionsOfId({ sessions }: Joined, id: string): number[] {
  const found: number[] = [];
  for (let session = 0; session < sessions.count; session++) {
    if (sessions.idOf(session) === id && (sessions.chain[session] !== 0 || sessions.markSet[session] !== 0)) found.push(session);
  }
  return found;
}

/** Why two sessions, by number, are together. */
export function whyTogether(joined: Joined, a: number, b: number): Why {
  const { sessions, campaign } = joined;
  const items = (session: number) => joiningItems(joined, pairOf(joined, session));
  const [ofA, ofB] = [items(a), new Set(items(b))];
  const isTogether = campaign[a] !== NONE && campaign[a] === campaign[b];
  const chains = [a, b].map(session => sessions.tree.read(sessions.chain[session]!).commands.map(code => sessions.commands[code]!));
  return {
    a: toSession(joined, a),
    b: toSession(joined, b),
    isTogether,
    way: isTogether ? findWay(joined, ofA, ofB) : [],
    shared: ofA.filter(item => ofB.has(item)).map(item => toMark(joined, item)),
    common: listCommon(joined, a, b),
    near: nearness(chains[0]!, chains[1]!),
  };
}

function pairOf({ sessions, chainItem }: Joined, session: number) {
  const chain = sessions.chain[session]!;
  return { item: chain === 0 ? NONE : chainItem[chain]!, set: sessions.markSet[session]!, sessions: [session] };
}

function toMark(joined: Joined, item: number): Mark {
  const { chains, sessions } = joined;
  return item < chains.length ? { kind: "chain", value: chainValue(joined, chains[item]!) } : sessions.marks[item - chains.length]!;
}

function listCommon(joined: Joined, a: number, b: number): Why["common"] {
  const { sessions, isCommon, isEveryday, chainItem, markSessions } = joined;
  const ofB = new Set(sessions.markSets[sessions.markSet[b]!]!);
  const marks = sessions.markSets[sessions.markSet[a]!]!.filter(mark => ofB.has(mark) && isCommon[mark] === 1);
  const chain = sessions.chain[a]!;
  const isEqual = chain !== 0 && chain === sessions.chain[b] && isEveryday[chainItem[chain]!] === 1;
  return [
    ...marks.map(mark => ({ ...sessions.marks[mark]!, sessions: markSessions[mark]! })),
    ...(isEqual ? [{ kind: "chain" as const, value: chainValue(joined, chain), sessions: undefined }] : []),
  ];
}

/** How an item was reached. */
interface Reached {
  readonly from: number;
  readonly near: number | undefined;
  readonly by: number | undefined;
}

/** Breadth first over items: the way with the fewest links. */
function findWay(joined: Joined, starts: readonly number[], ends: ReadonlySet<number>): WhyStep[] {
  const next = listNeighbours(joined);
  const reached = new Map<number, Reached>(starts.map(item => [item, { from: NONE, near: undefined, by: undefined }]));
  const queue = [...starts];
  let end = queue.find(item => ends.has(item));
  for (let i = 0; i < queue.length && end === undefined; i++) {
    for (const { item, ...how } of next(queue[i]!)) {
      if (reached.has(item)) continue;
      reached.set(item, { from: queue[i]!, ...how });
      queue.push(item);
      if (ends.has(item)) end ??= item;
    }
  }
  const way: WhyStep[] = [];
  for (let at = end ?? NONE; at !== NONE; ) {
    const { from, near, by } = reached.get(at)!;
    way.unshift({ mark: toMark(joined, at), near, by: by === undefined ? undefined : toSession(joined, by) });
    at = from;
  }
  return way;
}

function listNeighbours(joined: Joined) {
  const { pairs, near, chains, sessions } = joined;
  const items = pairs.map(pair => joiningItems(joined, pair));
  const ofItem = new Map<number, number[]>();
  items.forEach((own, pair) => {
    if (own.length > 1) for (const item of own) push(ofItem, item, pair);
  });
  const others = new Map<number, { item: number; near: number | undefined; by: undefined }[]>();
  const join = (a: number, b: number, share: number | undefined) => {
    push(others, a, { item: b, near: share, by: undefined });
    push(others, b, { item: a, near: share, by: undefined });
  };
  for (const { a, b, share } of near) join(a, b, share);
  for (const [first, ...same] of keyMarks(sessions)) for (const mark of same) join(chains.length + first!, chains.length + mark, undefined);
  return (item: number) => [
    ...(others.get(item) ?? []),
    ...(ofItem.get(item) ?? []).flatMap(pair => items[pair]!.map(other => ({ item: other, near: undefined, by: pairs[pair]!.sessions[0]! }))),
  ];
}

function push<Value>(lists: Map<number, Value[]>, key: number, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
