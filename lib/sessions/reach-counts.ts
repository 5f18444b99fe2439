/**
 * How far sessions came, over all logs: connected, tried to log in, let in, typed a command, fetched a file; by day and
 * sensor, with the addresses behind them.
 *
 * A session counts on the day it connected, else on that of the first of its events that tells anything, once however
 * many logs it lies in. One that connected and was closed in a log is taken to lie in it whole: of others, which are
 * few, an entry stays. A step needs none before it: a file can be fetched where nothing was typed.
 */
import { Dictionary, textOf, translator } from "../columns/dictionary.ts";
import type { EventScope } from "../events/scope.ts";
import { REACH_CLOSED, REACH_WHOLE } from "../kernel/layout.ts";
import type { LogSessions } from "../logs/log-sessions.ts";
import { REACH_STEPS } from "../logs/slot-reach.ts";
import { dayOf } from "../text/time.ts";
import { sessionKey } from "./event-search.ts";
import { SENSORS_MOST, SensorNumbers, splitCells, type Tally, toTally } from "./tally.ts";

export interface ReachCounts {
  readonly sensors: readonly string[];
  /** `tallies[step]` = sessions that came so far. */
  readonly tallies: readonly Tally[];
  readonly reached: ReachedAddresses;
}

/** Addresses by day and sensor, in no order, with the steps to which their sessions came; one may stand there again. */
export interface ReachedAddresses {
  /** How many different addresses there are. */
  readonly all: number;
  readonly address: Int32Array;
  readonly day: Int32Array;
  readonly sensor: Int32Array;
  readonly steps: Uint8Array;
}

interface OpenSession {
  bits: number;
  connectUs: number;
  firstUs: number;
  address: number;
  readonly sensor: number;
}

/** Counts, log by log, in any order. */
export class ReachCounter {
  readonly #scope: EventScope;
  readonly #sensors: SensorNumbers;
  readonly #addresses = new Dictionary();
  readonly #open = new Map<string, OpenSession>();
  readonly #cells = REACH_STEPS.map(() => new Map<number, number>());
  readonly #reached = { address: [] as number[], cell: [] as number[], steps: [] as number[] };
  /** `#last[address]` = where it stands in the list for the last time. */
  readonly #last: number[] = [];

  constructor(scope: EventScope) {
    this.#scope = scope;
    this.#sensors = new SensorNumbers(scope);
  }

  take({ ids, sensors, reach, reachAddresses }: LogSessions): void {
    const { sinceDay = -Infinity, untilDay = Infinity } = this.#scope;
    const numbers = sensors.map(name => this.#sensors.of(name));
    const addressOf = translator(reachAddresses, this.#addresses);
    let open: { readonly session: number; readonly parts: OpenSession } | undefined;
    const close = () => {
      if (open === undefined) return;
      const { session, parts } = open;
      if ((parts.bits & REACH_WHOLE) === REACH_WHOLE) this.#count(parts, 1);
      else this.#join(sessionKey(String(parts.sensor), textOf(ids, session)), parts);
      open = undefined;
    };
    for (let at = 0; at < reach.session.length; at++) {
      const day = reach.day[at]!;
      const sensor = numbers[reach.sensor[at]!]!;
      const session = reach.session[at]!;
      if (open?.session !== session) close();
      if (reach.bits[at] === 0 || sensor < 0 || day < sinceDay || day > untilDay) continue;
      const own = { bits: reach.bits[at]!, connectUs: reach.connectUs[at]!, firstUs: reach.firstUs[at]!, address: addressOf(reach.address[at]!), sensor };
      if (session < 0) this.#count(own, reach.count[at]!);
      else if (open === undefined) open = { session, parts: own };
      else addPart(open.parts, own);
    }
    close();
  }

  finish(): ReachCounts {
    for (const session of this.#open.values()) this.#count(session, 1);
    this.#open.clear();
    const { address, cell, steps } = this.#reached;
    const reached = {
      all: this.#addresses.size,
      address: Int32Array.from(address),
      ...splitCells(cell),
      steps: Uint8Array.from(steps),
    };
    return { sensors: this.#sensors.names(), tallies: this.#cells.map(toTally), reached };
  }

  #join(key: string, own: OpenSession): void {
    const known = this.#open.get(key);
    if (known === undefined) this.#open.set(key, own);
    else addPart(known, own);
  }

  /** @param n Sessions of which all this is true. */
  #count({ bits, connectUs, firstUs, address, sensor }: OpenSession, n: number): void {
    const steps = bits & ~REACH_CLOSED;
    if (steps === 0) return;
    const cell = dayOf(connectUs < Infinity ? connectUs : firstUs) * SENSORS_MOST + sensor;
    this.#cells.forEach((counts, step) => {
      if (steps & (1 << step)) counts.set(cell, (counts.get(cell) ?? 0) + n);
    });
    if (address < 0) return;
    const reached = this.#reached;
    const last = this.#last[address];
    if (last !== undefined && reached.cell[last] === cell) reached.steps[last]! |= steps;
    else {
      this.#last[address] = reached.cell.push(cell) - 1;
      reached.address.push(address);
      reached.steps.push(steps);
    }
  }
}

function addPart(known: OpenSession, own: OpenSession): void {
  known.bits |= own.bits;
  known.connectUs = Math.min(known.connectUs, own.connectUs);
  // Of what lies in two parts the one that begins sooner tells where it came from.
  if (known.address < 0 || (own.address >= 0 && own.firstUs < known.firstUs)) known.address = own.address;
  known.firstUs = Math.min(known.firstUs, own.firstUs);
}
