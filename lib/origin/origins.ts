/**
 * Where addresses come from: country and network, as the user's own databases have it. Nothing is fetched.
 *
 * Records are told by their keys, not by who made them: MaxMind and DB-IP nest them (`country.iso_code`,
 * `autonomous_system_number`), IPinfo and others have them flat (`country_code`, `asn`, `as_name`).
 */
import { statSync } from "node:fs";
import { basename } from "node:path";
import { stateOf } from "../columns/regular-file.ts";
import type { OptionTable } from "../process/command.ts";
import { toIsoDay } from "../text/format.ts";
import { visible } from "../text/text.ts";
import { DAY_MS } from "../text/time.ts";
import { brokenMmdb, type Mmdb, type MmdbValue, openMmdb } from "./mmdb.ts";

/** Names the databases; every script that shows addresses has it. */
export const ORIGIN_OPTION = {
  mmdb: {
    type: "path",
    repeatable: true,
    placeholder: "FILE",
    help:
      "Database of countries or networks (.mmdb, as MaxMind, DB-IP and IPinfo give them out), by which addresses get " +
      "country, asn and as_org; give it again for more, the first that knows an address counts. Nothing is fetched.",
    defaultText: "none, and nothing is said of where addresses come from",
  },
} as const satisfies OptionTable;

/** What databases say of an address. */
export interface Origin {
  /** Two capitals, after ISO 3166-1. */
  readonly country: string | null;
  /** "AS64496" */
  readonly asn: string | null;
  /** Who has the network. Foreign text, at most {@link ORGANISATION_MOST} characters. */
  readonly asOrg: string | null;
}

/** The names of these facts, as columns and keys. */
export const ORIGIN_COLUMNS = ["country", "asn", "as_org"] as const;
export type OriginColumn = (typeof ORIGIN_COLUMNS)[number];

/** One database, as it is named to people. */
export interface OriginSource {
  /** Name of its file, without folders. */
  readonly name: string;
  /** What it calls itself: "GeoLite2-Country". Foreign text. */
  readonly type: string;
  /** The day it was built, YYYY-MM-DD, UTC. */
  readonly day: string;
}

const ORGANISATION_MOST = 200;
const ASN_MOST = 0xffff_ffff;
export const NO_ORIGIN: Origin = { country: null, asn: null, asOrg: null };

/** The origin of each address, looked up once. */
export class Origins {
  readonly sources: readonly OriginSource[];
  readonly #databases: readonly Database[];
  readonly #known = new Map<string, Origin>();

  /** @throws {Error} in one line, if a database cannot be read, is broken, or knows neither countries nor networks. */
  constructor(paths: readonly string[]) {
    this.#databases = paths.map(path => new Database(path));
    this.sources = this.#databases.map(({ source }) => source);
  }

  /**
   * @param address Anything else has no origin.
   * @throws {Error} in one line, if the record of the address is broken.
   */
  of(address: string): Origin {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    let origin = NO_ORIGIN;
    for (const database of this.#databases) {
      const found = database.of(address);
      // Number and name of a network belong together: they come from one database.
      const network = origin.asn === null ? found : origin;
      origin = { country: origin.country ?? found.country, asn: network.asn, asOrg: network.asOrg };
    }
    this.#known.set(address, origin);
    return origin;
  }

  /** One fact of an address. */
  get(address: string, column: OriginColumn): string | null {
    const origin = this.of(address);
    return column === "as_org" ? origin.asOrg : origin[column];
  }
}

/** The state of each database of a command line, by which a run knows whether they are what they were. */
export function originStates({ mmdb }: { readonly mmdb: readonly string[] }): string[] {
  return mmdb.map(path => {
    try {
      return stateOf(statSync(path, { bigint: true }));
    } catch (error) {
      throw brokenMmdb(path, error);
    }
  });
}

/** Open the databases of a command line; undefined where it names none. */
export function openOrigins({ mmdb }: { readonly mmdb: readonly string[] }): Origins | undefined {
  return mmdb.length === 0 ? undefined : new Origins(mmdb);
}

/** An origin in words for a line: `NL, AS64496 Example Hosting`; empty where nothing is known. Foreign text. */
export function describeOrigin({ country, asn, asOrg }: Origin): string {
  return [country, networkName(asn, asOrg)].filter(text => text !== null).join(", ");
}

/** An origin for programs, under the names of its columns. */
export function originToJson({ country, asn, asOrg }: Origin): Record<OriginColumn, string | null> {
  return { country, asn, as_org: asOrg };
}

/** Which databases spoke, and of which day, for people: `GeoLite2-Country of 2026-08-01`. Safe to show. */
export function nameSources(sources: readonly OriginSource[]): string {
  return sources.map(({ name, type, day }) => `${visible(type || name)} of ${day}`).join(", ");
}

/** The same as the end of a summary. */
export function describeSources(sources: readonly OriginSource[]): string {
  return `origins by ${nameSources(sources)}`;
}

/** Number and name of a network as one text: `AS64496 Example Hosting`. */
export function networkName(asn: string | null, asOrg: string | null): string | null {
  return asn === null || asOrg === null ? (asn ?? asOrg) : `${asn} ${asOrg}`;
}

class Database {
  readonly source: OriginSource;
  readonly #path: string;
  readonly #mmdb: Mmdb;
  /** Records are shared by many addresses. */
  readonly #origins = new Map<number, Origin>();

  constructor(path: string) {
    this.#path = path;
    this.#mmdb = openMmdb(path);
    const { type, builtMs } = this.#mmdb.metadata;
    this.source = { name: basename(path), type: type.slice(0, ORGANISATION_MOST), day: toIsoDay(Math.floor(builtMs / DAY_MS)) };
    let isUseful = false;
    this.#guarded(() => {
      for (const record of this.#mmdb.probes()) isUseful ||= toOrigin(record) !== NO_ORIGIN;
      if (!isUseful) throw new Error("its records name neither countries nor networks");
    });
  }

  of(address: string): Origin {
    return this.#guarded(() => {
      const offset = this.#mmdb.find(address);
      if (offset === undefined) return NO_ORIGIN;
      let origin = this.#origins.get(offset);
      if (origin === undefined) this.#origins.set(offset, (origin = toOrigin(this.#mmdb.record(offset))));
      return origin;
    });
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw brokenMmdb(this.#path, error);
    }
  }
}

/** The facts of a record, under whichever keys they stand. */
function toOrigin(record: MmdbValue): Origin {
  const at = (value: MmdbValue | undefined, key: string) => (value instanceof Map ? value.get(key) : undefined);
  const first = <T>(read: (value: MmdbValue | undefined) => T | null, ...values: (MmdbValue | undefined)[]): T | null => {
    for (const value of values) {
      const found = read(value);
      if (found !== null) return found;
    }
    return null;
  };
  const of = (key: string) => at(record, key);
  const traits = of("traits");
  const network = at(of("asn"), "asn") === undefined ? of("as") : of("asn");
  const origin = {
    country: first(toCountry, at(of("country"), "iso_code"), of("country_code"), of("country")),
    asn: first(
      toAsn,
      of("autonomous_system_number"),
      at(traits, "autonomous_system_number"),
      of("asn"),
      at(network, "asn"),
    ),
    asOrg: first(
      toOrganisation,
      of("autonomous_system_organization"),
      at(traits, "autonomous_system_organization"),
      of("as_name"),
      of("as_org"),
      at(network, "name"),
      // Of an IPinfo ASN database, where the record is the network.
      typeof of("asn") === "string" ? of("name") : undefined,
    ),
  };
  return origin.country === null && origin.asn === null && origin.asOrg === null ? NO_ORIGIN : origin;
}

function toCountry(value: MmdbValue | undefined): string | null {
  return typeof value === "string" && /^[A-Za-z]{2}$/.test(value) ? value.toUpperCase() : null;
}

function toAsn(value: MmdbValue | undefined): string | null {
  const digits = typeof value === "string" ? /^(?:AS)?(\d{1,10})$/i.exec(value)?.[1] : value;
  const number = digits === undefined || typeof digits === "object" ? NaN : Number(digits);
  return Number.isInteger(number) && number >= 1 && number <= ASN_MOST ? `AS${number}` : null;
}

function toOrganisation(value: MmdbValue | undefined): string | null {
  return typeof value === "string" && value.trim() !== "" ? value.trim().slice(0, ORGANISATION_MOST) : null;
}
