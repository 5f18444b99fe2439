/**
 * Chains that are nearly equal: the share of what they have in common (Jaccard), over runs of three words of their commands.
 *
 * Exact: of two sets whose share is at least t, one of the rarest |A| - ceil(t |A|) + 1 members of A is among those of B
 * (prefix filter; Chaudhuri, Ganti, Kaushik 2006). What would make it quadratic, a run that very many chains have among
 * their rarest, is bounded: a chain is held against the first that have it, and against so many in all.
 */
import { ints } from "../columns/growing-column.ts";
import { isEveryday } from "./everyday.ts";
import type { Groups } from "./groups.ts";
import { withoutArchitecture } from "./marks.ts";

/** Share from which two chains are nearly equal; and from which they are of one kind, if they have a mark in common. */
export const NEAR_MIN = 0.6;
export const ALIKE_MIN = 0.3;
/** Runs of a chain that are looked at, and in all chains together. */
const RUNS_MOST = 256;
const ALL_RUNS_MOST = 4_000_000;
/** Chains kept of those that share a run: the first, then such as are of another group than the one before. */
const SHARERS_ALL = 8;
const SHARERS_MOST = 32;
/** Chains that one is held against. */
const COMPARED_MOST = 32;
/** Characters of a command whose words count. */
const COMMAND_MOST = 4096;
const WORDS = 3;

/** Two chains that joined two groups, and the share of what they have in common. */
export interface NearPair {
  readonly a: number;
  readonly b: number;
  readonly share: number;
}

export class NearChains {
  /** Chains that are held against none, since there are too many. */
  readonly left: number;
  /** Runs of a chain, rising; and the same, the rarest first. */
  readonly #sets: RunSets;
  readonly #rarest: Int32Array;

  /** @param chains Commands of each, masked; undefined = not to be joined. */
  constructor(chains: readonly (readonly string[] | undefined)[]) {
    const { sets, left } = toRunSets(chains);
    const holders = countHolders(sets);
    this.left = left;
    this.#sets = sets;
    this.#rarest = sets.values.slice();
    for (let chain = 0; chain < chains.length; chain++) {
      this.#rarest.subarray(sets.starts[chain]!, sets.starts[chain + 1]!).sort((a, b) => holders[a]! - holders[b]! || a - b);
    }
  }

  /**
   * Join chains of which so much is the same.
   *
   * @param chains Those that are looked at, each once.
   * @param groups Its first items are the chains.
   */
  join(chains: Iterable<number>, groups: Groups, least: number): NearPair[] {
    const sharers = new Map<number, number[]>();
    const pairs: NearPair[] = [];
    for (const chain of chains) {
      const rarest = this.#rarest.subarray(this.#sets.starts[chain]!, this.#sets.starts[chain + 1]!);
      if (rarest.length === 0) continue;
      const length = rarest.length - Math.ceil(least * rarest.length) + 1;
      this.#joinOne(chain, rarest.subarray(0, length), sharers, groups, least, pairs);
      for (let i = 0; i < length; i++) {
        const others = sharers.get(rarest[i]!);
        if (others === undefined) sharers.set(rarest[i]!, [chain]);
        else if (others.length < SHARERS_ALL || (others.length < SHARERS_MOST && groups.find(others.at(-1)!) !== groups.find(chain))) others.push(chain);
      }
    }
    return pairs;
  }

  #joinOne(chain: number, prefix: Int32Array, sharers: ReadonlyMap<number, number[]>, groups: Groups, least: number, pairs: NearPair[]): void {
    const tried = new Set<number>();
    for (const run of prefix) {
      const others = sharers.get(run);
      if (others === undefined) continue;
      for (const other of others) {
        if (groups.find(other) === groups.find(chain) || tried.has(other)) continue;
        if (tried.size >= COMPARED_MOST) return;
        tried.add(other);
        const share = shareOf(this.#sets, chain, other);
        if (share >= least && groups.join(chain, other)) pairs.push({ a: other, b: chain, share });
      }
    }
  }
}

/** Share of the runs of two chains that both have, 0 to 1; 0 where either has none. */
export function nearness(a: readonly string[], b: readonly string[]): number {
  return shareOf(toRunSets([a, b]).sets, 0, 1);
}

/** Sets of numbers side by side: that of chain `i` is `values` from `starts[i]` to `starts[i + 1]`, rising. */
interface RunSets {
  readonly starts: Int32Array;
  readonly values: Int32Array;
}

/** Of two chains. */
function shareOf({ starts, values }: RunSets, a: number, b: number): number {
  const [endA, endB] = [starts[a + 1]!, starts[b + 1]!];
  let both = 0;
  let i = starts[a]!;
  let j = starts[b]!;
  while (i < endA && j < endB) {
    if (values[i] === values[j]) {
      both++;
      i++;
      j++;
    } else if (values[i]! < values[j]!) i++;
    else j++;
  }
  return both === 0 ? 0 : both / (endA - starts[a]! + endB - starts[b]! - both);
}

/** Runs of words of each chain as numbers, rising, each once; of everyday commands only where there are no others. */
function toRunSets(chains: readonly (readonly string[] | undefined)[]) {
  const words = new Map<string, number>();
  const runs = new Map<number, number>();
  const ofCommand = new Map<string, readonly number[]>();
  const numberOf = <Key>(map: Map<Key, number>, key: Key) => {
    let number = map.get(key);
    if (number === undefined) map.set(key, (number = map.size + 1));
    return number;
  };
  const runsOf = (command: string) => {
    let known = ofCommand.get(command);
    if (known === undefined) {
      const codes = [0, ...wordsOf(command).map(word => numberOf(words, word)), 0];
      const own: number[] = [];
      for (let i = 0; i + WORDS <= Math.max(WORDS, codes.length) && i < RUNS_MOST; i++) {
        // Words and runs stay below 2^26: each step fits a number, and nothing collides.
        const pair = numberOf(runs, codes[i]! * 2 ** 26 + codes[i + 1]!);
        own.push(numberOf(runs, -(pair * 2 ** 26 + (codes[i + 2] ?? 0)) - 1));
      }
      ofCommand.set(command, (known = own));
    }
    return known;
  };
  let all = 0;
  let left = 0;
  // Of a run, the last chain that has it: a set for each chain would take ten times what is left of it.
  const lastChain: number[] = [];
  const set = new Int32Array(RUNS_MOST);
  const starts = new Int32Array(chains.length + 1);
  const values = ints();
  for (const [chain, commands] of chains.entries()) {
    starts[chain] = all;
    if (commands === undefined) continue;
    if (all >= ALL_RUNS_MOST) {
      left++;
      continue;
    }
    const own = commands.filter(command => !isEveryday(command));
    let size = 0;
    for (const command of own.length > 0 ? own : commands) {
      for (const run of runsOf(command)) {
        if (size === RUNS_MOST) break;
        if (lastChain[run] === chain) continue;
        lastChain[run] = chain;
        set[size++] = run;
      }
    }
    all += size;
    for (const run of set.subarray(0, size).sort()) values.push(run);
  }
  starts[chains.length] = all;
  return { sets: { starts, values: values.values.slice(0, all) }, left };
}

function wordsOf(command: string): string[] {
  const text = withoutArchitecture(command.slice(0, COMMAND_MOST));
  return text.match(/[^\s;|&"'`()]+|[;|&]/g) ?? [];
}

/** `holders[run]` = chains that have it. */
function countHolders({ values }: RunSets): Int32Array {
  const holders = new Int32Array(values.reduce((most, run) => Math.max(most, run), 0) + 1);
  for (let i = 0; i < values.length; i++) holders[values[i]!]!++;
  return holders;
}
