/**
 * Chains of commands counted by day and sensor, from event tables.
 *
 * Memory grows with the different chains and with the sessions that may still go on in a later table; of a session
 * that cannot, twelve bytes stay.
 */
import type { EventBatch, EventTable } from "../events/event-table.ts";
import { ChainTree, NO_CHAIN } from "./chain-tree.ts";
import { sessionKey } from "./event-search.ts";
import { CommandCodes, readCommands, sortByTime, type Typed } from "./session-commands.ts";
import { SENSORS_MOST, type Tally, toTally } from "./tally.ts";
import { DAY_US, dayOf } from "../text/time.ts";
import type { EventScope } from "../events/scope.ts";
import { sensorPicker } from "../events/sensor-aliases.ts";

/** A session that typed nothing for so long before a table begins does not go on in it. */
const SILENT_US = DAY_US;
/** Open sessions from which looking for those that ended is worth it. */
const OPEN_FEW = 10_000;

/** Days are those of a session's first command. */
export interface ChainCountOptions extends EventScope {
  /** Positions of a chain; what is typed behind the last is not told apart. */
  readonly steps: number;
  /** Chains that are counted by day and sensor; all others are added up. */
  readonly most: number;
  /** Numbers commands, and makes equal what is to count as one. */
  readonly codes: CommandCodes;
}

export interface CountedChain {
  /** Codes, repeats in a row merged. */
  readonly commands: readonly number[];
  /** The sessions type more than the positions hold. */
  readonly isCut: boolean;
  readonly sessions: number;
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

/** Counts chains, table by table in the order of their first events. */
export class ChainCounter {
  readonly #options: ChainCountOptions;
  readonly #pickSensor: (sensor: string) => string | undefined;
  readonly #codes: CommandCodes;
  readonly #open = new Map<string, OpenSession>();
  #sweepFrom = OPEN_FEW;
  readonly #done = new Triples();
  readonly #sensors = new Map<string, number>();
  readonly #tree: ChainTree;

  constructor(options: ChainCountOptions) {
    this.#options = options;
    this.#pickSensor = sensorPicker(options);
    this.#codes = options.codes;
    this.#tree = new ChainTree(options.steps);
  }

  /**
   * @param firstUs Time of the table's first event.
   * @param onBatch Takes every batch of the table as well.
   */
  async add(table: EventTable, firstUs: number, onBatch?: (batch: EventBatch) => void): Promise<void> {
    if (this.#open.size > this.#sweepFrom) {
      this.#close(firstUs - SILENT_US);
      // Where nothing ends, as with one log for each sensor, not again until there is twice as much.
      this.#sweepFrom = Math.max(OPEN_FEW, 2 * this.#open.size);
    }
    const sessions = new Map<string, Typed>();
    const sessionOf = (sensor: string, session: string) => {
      const name = this.#pickSensor(sensor);
      if (name === undefined) return undefined;
      const key = sessionKey(name, session);
      let typed = sessions.get(key);
      if (typed === undefined) sessions.set(key, (typed = { us: [], codes: [], sensor: name }));
      return typed;
    };
    await readCommands(table, sessionOf, this.#codes, onBatch);
    for (const [key, typed] of sessions) {
      if (typed.us.length === 0) continue;
      sortByTime(typed);
      this.#addSession(key, typed);
    }
  }

  #addSession(key: string, { us, codes, sensor }: Typed): void {
    const [first, last] = [us[0]!, us.at(-1)!];
    const known = this.#open.get(key);
    if (known === undefined) {
      this.#open.set(key, { first, last, chain: this.#tree.extend(NO_CHAIN, codes), sensor: this.#sensorOf(sensor) });
      return;
    }
    // The part that begins sooner comes first, in whichever table it lies.
    known.chain =
      known.first <= first
        ? this.#tree.extend(known.chain, codes)
        : this.#tree.join(this.#tree.extend(NO_CHAIN, codes), known.chain);
    known.first = Math.min(known.first, first);
    known.last = Math.max(known.last, last);
  }

  #sensorOf(name: string): number {
    let code = this.#sensors.get(name);
    if (code === undefined) this.#sensors.set(name, (code = this.#sensors.size));
    return code;
  }

  /** Count the sessions that ended before a time, and forget them. */
  #close(beforeUs: number): void {
    const { sinceDay = -Infinity, untilDay = Infinity } = this.#options;
    for (const [key, { first, last, chain, sensor }] of this.#open) {
      if (last >= beforeUs) continue;
      this.#open.delete(key);
      const day = dayOf(first);
      if (day >= sinceDay && day <= untilDay) this.#done.push(chain, day, sensor);
    }
  }

  /** Count what is still open; nothing can be added afterwards. */
  finish(): ChainCounts {
    this.#close(Infinity);
    const { steps, most } = this.#options;
    const done = this.#done;
    const sessions = new Uint32Array(this.#tree.size);
    for (let i = 0; i < done.length; i++) sessions[done.first[i]!]!++;
    const used = Uint32Array.from(sessions.keys()).filter(chain => sessions[chain]! > 0);
    // A floor first: sorting all chains by their commands to keep a few would cost more than reading twice.
    const floor = used.length > most ? sessions.slice().sort()[sessions.length - most]! : 0;
    const chains = [...used]
      .filter(chain => sessions[chain]! >= floor)
      .map(chain => ({ chain, ...this.#tree.read(chain), sessions: sessions[chain]! }));
    // Codes are numbered by first sight, which is the same for the same tables.
    chains.sort((a, b) => b.sessions - a.sessions || compareLists(a.commands, b.commands) || Number(a.isCut) - Number(b.isCut));
    const kept = chains.slice(0, most);
    const slots = new Int32Array(this.#tree.size).fill(kept.length);
    kept.forEach(({ chain }, slot) => (slots[chain] = slot));
    const tallies = tallyOf(done, slots, kept.length + 1);
    const texts = new Map<number, number>();
    const codeOf = (code: number) => {
      if (!texts.has(code)) texts.set(code, texts.size);
      return texts.get(code)!;
    };
    const counted = kept.map(({ commands, isCut, sessions: n }, slot) => {
      return { commands: commands.map(codeOf), isCut, sessions: n, tally: tallies[slot]! };
    });
    return {
      steps,
      commands: [...texts.keys()].map(code => this.#codes.commands[code]!),
      sensors: [...this.#sensors.keys()],
      sessions: done.length,
      distinct: used.length,
      chains: counted,
      rest: tallies[kept.length]!,
    };
  }
}

interface OpenSession {
  first: number;
  last: number;
  chain: number;
  readonly sensor: number;
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** A growing list of three numbers each: a chain, a day, a sensor. */
class Triples {
  length = 0;
  first = new Int32Array(1024);
  day = new Int32Array(1024);
  sensor = new Int32Array(1024);

  push(first: number, day: number, sensor: number): void {
    if (this.length === this.first.length) {
      for (const name of ["first", "day", "sensor"] as const) {
        const larger = new Int32Array(2 * this.length);
        larger.set(this[name]);
        this[name] = larger;
      }
    }
    this.first[this.length] = first;
    this.day[this.length] = day;
    this.sensor[this.length++] = sensor;
  }
}

/** Count by slot, day and sensor; each tally by day, then sensor. */
function tallyOf(done: Triples, slots: Int32Array, size: number): Tally[] {
  const counts = Array.from({ length: size }, () => new Map<number, number>());
  for (let i = 0; i < done.length; i++) {
    const cells = counts[slots[done.first[i]!]!]!;
    const cell = done.day[i]! * SENSORS_MOST + done.sensor[i]!;
    cells.set(cell, (cells.get(cell) ?? 0) + 1);
  }
  return counts.map(toTally);
}
