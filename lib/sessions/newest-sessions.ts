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

interface Kept {
  readonly sensor: string;
  readonly session: string;
  us: number;
  address: string | null;
}

/** The latest of some times, as many as there is room for. */
class Latest {
  readonly #most: number;
  /** Falling. */
  readonly #times: number[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** What is earlier than this is none of them. */
  get floor(): number {
    return this.#times.length < this.#most ? -Infinity : this.#times[this.#most - 1]!;
  }

  /** @param before The same session's time before, which is no later. */
  add(us: number, before?: number): void {
    const times = this.#times;
    const known = before === undefined ? -1 : times.indexOf(before);
    if (known >= 0) times.splice(known, 1);
    let at = times.length;
    while (at > 0 && times[at - 1]! < us) at--;
    times.splice(at, 0, us);
    if (times.length > this.#most) times.pop();
  }
}

/** A sensor and a stretch of days, of one value. */
export interface Place {
  readonly sensor: string;
  readonly stretch: number;
  readonly latest: Latest;
  /** Older sessions were left out. */
  isCut: boolean;
}

function placeName(sensor: string, stretch: number): string {
  return `${stretch}\u0000${sensor}`;
}

/** Gathers sessions, quickest where the newest come first: of most that come later a look at their time says enough. */
export class NewestSessions {
  readonly #limits: TrailLimits;
  readonly #kept = new Map<string, Kept>();
  readonly #places = new Map<string, Place>();
  readonly #latest = new Latest(NEWEST);
  /** Of some session no address is known yet: an older event may tell it. */
  #lacksAddress = false;

  constructor(limits: TrailLimits) {
    this.#limits = limits;
  }

  /** Where the sessions of a sensor on a day belong. */
  placeOf(sensor: string, day: number): Place {
    const stretch = stretchOf(day, this.#limits.lastDay);
    const name = placeName(sensor, stretch);
    let place = this.#places.get(name);
    if (place === undefined) {
      place = { sensor, stretch, latest: new Latest(this.#limits.perStretch), isCut: false };
      this.#places.set(name, place);
    }
    return place;
  }

  /** Whether a session of this time changes nothing: there are enough newer ones, and it is known that some were left out. */
  isSettled(us: number, place: Place): boolean {
    return place.isCut && !this.#lacksAddress && this.#isBelow(us, place);
  }

  /** The same of all sessions of some sensors between two times. */
  areSettled(firstUs: number, lastUs: number, sensors: readonly string[]): boolean {
    if (!(lastUs < this.#latest.floor)) return false;
    const oldest = stretchOf(dayOf(firstUs), this.#limits.lastDay);
    for (let stretch = stretchOf(dayOf(lastUs), this.#limits.lastDay); stretch <= oldest; stretch++) {
      for (const sensor of sensors) {
        const place = this.#places.get(placeName(sensor, stretch));
        if (place === undefined || !this.isSettled(lastUs, place)) return false;
      }
    }
    return true;
  }

  #isBelow(us: number, { latest }: Place): boolean {
    return us < latest.floor && us < this.#latest.floor;
  }

  add(us: number, sensor: string, session: string, address: string | null): void {
    const day = dayOf(us);
    const place = this.placeOf(sensor, day);
    if (this.isSettled(us, place)) return;
    const id = `${day}\u0000${sensor}\u0000${session}`;
    const known = this.#kept.get(id);
    if (known !== undefined) {
      if (us > known.us) {
        for (const latest of [place.latest, this.#latest]) latest.add(us, known.us);
        known.us = us;
      }
      known.address ??= address;
      return;
    }
    if (this.#isBelow(us, place)) {
      place.isCut = true;
      return;
    }
    if (this.#kept.size >= GATHER_MOST) this.#drop();
    this.#kept.set(id, { us, sensor, session, address });
    for (const latest of [place.latest, this.#latest]) latest.add(us);
    if (address === null) this.#lacksAddress = true;
  }

  /** What was gathered, newest first, and where some were left out. */
  finish(): Trail {
    this.#drop();
    const cut = [...this.#places.values()].filter(({ isCut }) => isCut);
    return { sessions: [...this.#kept.values()], cut: cut.map(({ sensor, stretch }) => ({ sensor, stretch })) };
  }

  /** Leave out all but the newest, of all and of each sensor and stretch. */
  #drop(): void {
    const sorted = [...this.#kept].sort(
      ([, a], [, b]) => b.us - a.us || compareText(a.sensor, b.sensor) || compareText(a.session, b.session),
    );
    const met = new Map<Place, number>();
    this.#kept.clear();
    sorted.forEach(([id, one], rank) => {
      const place = this.placeOf(one.sensor, dayOf(one.us));
      const before = met.get(place) ?? 0;
      met.set(place, before + 1);
      if (rank < NEWEST || before < this.#limits.perStretch) this.#kept.set(id, one);
      else place.isCut = true;
    });
  }
}
