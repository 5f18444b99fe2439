/**
 * Chains of commands counted by day and sensor, from sessions whose chains are known.
 */
import { ChainTree, NO_CHAIN } from "./chain-tree.ts";
import { SENSORS_MOST, type Tally, toTally } from "./tally.ts";
import { dayOf } from "../text/time.ts";
import type { EventScope } from "../events/scope.ts";

export interface ChainCountOptions extends Omit<EventScope, "sensorAliases"> {
  /** Positions of a chain, no more than the sessions' have; what is typed behind the last is not told apart. */
  readonly steps: number;
  /** Chains that are counted by day and sensor; all others are added up. */
  readonly most: number;
}

/** Sessions with the chains they typed; `x[session]`. */
export interface TypedSessions {
  readonly count: number;
  /** In the tree; `NO_CHAIN` where nothing was typed. */
  readonly chain: ArrayLike<number>;
  /** Of the first command, microseconds since 1970-01-01 UTC. */
  readonly typedUs: ArrayLike<number>;
  readonly sensor: ArrayLike<number>;
  /** Codes, -1 = not known. */
  readonly address: ArrayLike<number>;
  readonly tree: ChainTree;
  /** Texts by the codes of the tree. */
  readonly commands: readonly string[];
  /** After aliases. */
  readonly sensors: readonly string[];
}

export interface CountedChain {
  /** Codes, repeats in a row merged. */
  readonly commands: readonly number[];
  /** The sessions type more than the positions hold. */
  readonly isCut: boolean;
  readonly sessions: number;
  /** Distinct ones behind them. */
  readonly addresses: number;
  /** By the day of each session's first command. */
  readonly tally: Tally;
}

export interface ChainCounts {
  readonly steps: number;
  /** Texts by code, masked; of the chains below alone. */
  readonly commands: readonly string[];
  readonly sensors: readonly string[];
  /** Sessions that typed something. */
  readonly sessions: number;
  /** Different chains, told apart below or not. */
  readonly distinct: number;
  /** By sessions falling, then commands. */
  readonly chains: readonly CountedChain[];
  /** Sessions of all other chains. */
  readonly rest: Tally;
}

/**
 * Count chains.
 *
 * @param options The days are those of a session's first command.
 */
export function countChains(typed: TypedSessions, { steps, most, ...scope }: ChainCountOptions): ChainCounts {
  const tree = new ChainTree(steps);
  const done = listChains(typed, tree, scope);
  const sessions = new Uint32Array(tree.size);
  for (let i = 0; i < done.length; i++) sessions[done.first[i]!]!++;
  const used = Uint32Array.from(sessions.keys()).filter(chain => sessions[chain]! > 0);
  // A floor first: sorting all chains by their commands to keep a few would cost more than reading twice.
  const floor = used.length > most ? sessions.slice().sort()[sessions.length - most]! : 0;
  const chains = [...used]
    .filter(chain => sessions[chain]! >= floor)
    .map(chain => ({ chain, ...tree.read(chain), sessions: sessions[chain]! }));
  // Codes are numbered by first sight, which is the same for the same logs.
  chains.sort((a, b) => b.sessions - a.sessions || compareLists(a.commands, b.commands) || Number(a.isCut) - Number(b.isCut));
  const kept = chains.slice(0, most);
  const slots = new Int32Array(tree.size).fill(kept.length);
  kept.forEach(({ chain }, slot) => (slots[chain] = slot));
  const tallies = tallyOf(done, slots, kept.length + 1);
  const addresses = addressesOf(done, slots, kept.length);
  const texts = new Map<number, number>();
  const codeOf = (code: number) => {
    if (!texts.has(code)) texts.set(code, texts.size);
    return texts.get(code)!;
  };
  const counted = kept.map(({ commands, isCut, sessions: n }, slot) => {
    return { commands: commands.map(codeOf), isCut, sessions: n, addresses: addresses[slot]!, tally: tallies[slot]! };
  });
  return {
    steps,
    commands: [...texts.keys()].map(code => typed.commands[code]!),
    sensors: typed.sensors,
    sessions: done.length,
    distinct: used.length,
    chains: counted,
    rest: tallies[kept.length]!,
  };
}

/** Chain, day, sensor and address of each session that counts. */
function listChains({ count, chain, tree: whole, typedUs, sensor, address, sensors }: TypedSessions, tree: ChainTree, scope: EventScope): Counted {
  const { sinceDay = -Infinity, untilDay = Infinity } = scope;
  const wanted = scope.sensors && new Set(scope.sensors);
  const isLeftOut = Uint8Array.from(sensors, name => Number(wanted?.has(name) === false));
  const done = new Counted();
  /** Of a chain in the whole tree, as it is told here. */
  const known = new Int32Array(whole.size).fill(NO_CHAIN);
  for (let session = 0; session < count; session++) {
    const own = chain[session]!;
    if (own === NO_CHAIN || isLeftOut[sensor[session]!] === 1) continue;
    const day = dayOf(typedUs[session]!);
    if (day < sinceDay || day > untilDay) continue;
    if (known[own] === NO_CHAIN) known[own] = tree.join(NO_CHAIN, own, whole);
    done.push(known[own]!, day, sensor[session]!, address[session]!);
  }
  return done;
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** A growing list of four numbers each: a chain, a day, a sensor, an address. */
class Counted {
  length = 0;
  first = new Int32Array(1024);
  day = new Int32Array(1024);
  sensor = new Int32Array(1024);
  address = new Int32Array(1024);

  push(first: number, day: number, sensor: number, address: number): void {
    if (this.length === this.first.length) {
      for (const name of ["first", "day", "sensor", "address"] as const) {
        const larger = new Int32Array(2 * this.length);
        larger.set(this[name]);
        this[name] = larger;
      }
    }
    this.first[this.length] = first;
    this.day[this.length] = day;
    this.address[this.length] = address;
    this.sensor[this.length++] = sensor;
  }
}

/** Distinct addresses by slot. */
function addressesOf(done: Counted, slots: Int32Array, size: number): number[] {
  const seen = Array.from({ length: size }, () => new Set<number>());
  for (let i = 0; i < done.length; i++) if (done.address[i]! >= 0) seen[slots[done.first[i]!]!]?.add(done.address[i]!);
  return seen.map(set => set.size);
}

/** Count by slot, day and sensor; each tally by day, then sensor. */
function tallyOf(done: Counted, slots: Int32Array, size: number): Tally[] {
  const counts = Array.from({ length: size }, () => new Map<number, number>());
  for (let i = 0; i < done.length; i++) {
    const cells = counts[slots[done.first[i]!]!]!;
    const cell = done.day[i]! * SENSORS_MOST + done.sensor[i]!;
    cells.set(cell, (cells.get(cell) ?? 0) + 1);
  }
  return counts.map(toTally);
}
