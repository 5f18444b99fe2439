/**
 * The newest sessions of a value, of all and of each sensor and stretch of days: enough that a choice of days and
 * sensors finds some. What is kept of a stretch is always its newest, and where some were left out is known.
 */
import { compareText } from "../text/text.ts";
import { dayOf } from "../text/time.ts";
import { stretchOf } from "./stretches.ts";

/** Kept of all days and sensors together, whatever else is. */
const NEWEST = 10;
/** Kept of a value at most, about, as far as sensors and stretches are counted. */
const KEPT_MOST = 300;
const STRETCHES = 6;
/** Sessions that may gather before the older ones are dropped. */
const GATHER_MOST = 4000;

/** A session that had a value, on one day. */
export interface TrailSession {
  /** The latest of its events with the value on that day, microseconds since 1970-01-01 UTC. */
  readonly us: number;
  /** After aliases. */
  readonly sensor: string;
  readonly session: string;
  /** Where it came from; null where the event does not say. */
  readonly address: string | null;
}

/** Sessions of a value, newest first, and where some were left out. */
export interface Trail {
  readonly sessions: readonly TrailSession[];
  readonly cut: readonly { readonly sensor: string; readonly stretch: number }[];
}

export interface TrailLimits {
  /** Last day of the report: stretches are counted back from it. */
  readonly lastDay: number;
  /** Sessions kept of each sensor and stretch. */
  readonly perStretch: number;
}

/** As many of each sensor and stretch as there is room for. */
export function toTrailLimits(lastDay: number, sensors: number): TrailLimits {
  return { lastDay, perStretch: Math.max(1, Math.min(5, Math.floor(KEPT_MOST / (STRETCHES * sensors)))) };
}

interface Kept<Name> {
  readonly sensor: Name;
  readonly session: Name;
  us: number;
  address: Name | null;
}

/** Gathers sessions by names or by codes. */
export class NewestSessions<Name extends string | number> {
  readonly #limits: TrailLimits;
  readonly #kept = new Map<string, Kept<Name>>();
  readonly #cut = new Map<string, { sensor: Name; stretch: number }>();

  constructor(limits: TrailLimits) {
    this.#limits = limits;
  }

  add(us: number, sensor: Name, session: Name, address: Name | null): void {
    const id = `${dayOf(us)}\u0000${sensor}\u0000${session}`;
    const known = this.#kept.get(id);
    if (known === undefined) {
      if (this.#kept.size >= GATHER_MOST) this.#drop();
      this.#kept.set(id, { us, sensor, session, address });
      return;
    }
    if (us > known.us) known.us = us;
    known.address ??= address;
  }

  /** Note that older sessions of a sensor and stretch were left out. */
  addCut(sensor: Name, stretch: number): void {
    this.#cut.set(`${stretch}\u0000${sensor}`, { sensor, stretch });
  }

  /** What was gathered, newest first, and where some were left out. */
  finish(): { sessions: Kept<Name>[]; cut: { sensor: Name; stretch: number }[] } {
    this.#drop();
    return { sessions: [...this.#kept.values()], cut: [...this.#cut.values()] };
  }

  /** Leave out all but the newest, of all and of each sensor and stretch. */
  #drop(): void {
    const sorted = [...this.#kept].sort(
      ([, a], [, b]) =>
        b.us - a.us || compareText(String(a.sensor), String(b.sensor)) || compareText(String(a.session), String(b.session)),
    );
    const met = new Map<string, number>();
    this.#kept.clear();
    sorted.forEach(([id, one], rank) => {
      const stretch = stretchOf(dayOf(one.us), this.#limits.lastDay);
      const place = `${stretch}\u0000${one.sensor}`;
      const before = met.get(place) ?? 0;
      met.set(place, before + 1);
      if (rank < NEWEST || before < this.#limits.perStretch) this.#kept.set(id, one);
      else this.addCut(one.sensor, stretch);
    });
  }
}
