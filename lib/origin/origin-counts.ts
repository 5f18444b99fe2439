/**
 * Addresses by the countries and networks they come from.
 *
 * Tested in `test/scripts/mmdb.test.ts`.
 */
import { formatNumber } from "../text/format.ts";
import { clipEnd } from "../text/cut.ts";
import { compareText, visible } from "../text/text.ts";
import { networkName, type Origins } from "./origins.ts";

/** A country, or a network by number and name, and how many addresses come from it. */
export interface OriginCount {
  /** null = no database knows. Foreign text. */
  readonly name: string | null;
  readonly addresses: number;
}

export interface OriginCounts {
  /** By addresses falling, then name. */
  readonly countries: readonly OriginCount[];
  readonly networks: readonly OriginCount[];
}

/** @param addresses Each once. */
export function countOrigins(addresses: Iterable<string>, origins: Origins): OriginCounts {
  const countries = new Map<string | null, number>();
  const networks = new Map<string | null, number>();
  const add = (counts: Map<string | null, number>, name: string | null) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const address of addresses) {
    const { country, asn, asOrg } = origins.of(address);
    add(countries, country);
    add(networks, networkName(asn, asOrg));
  }
  return { countries: rank(countries), networks: rank(networks) };
}

function rank(counts: ReadonlyMap<string | null, number>): OriginCount[] {
  return [...counts]
    .map(([name, addresses]) => ({ name, addresses }))
    .sort((a, b) => b.addresses - a.addresses || Number(b.name === null) - Number(a.name === null) || compareText(a.name ?? "", b.name ?? ""));
}

/** For programs. */
export function originCountsToJson({ countries, networks }: OriginCounts): Record<string, unknown> {
  return {
    countries: countries.map(({ name, addresses }) => ({ country: name, addresses })),
    networks: networks.map(({ name, addresses }) => ({ network: name, addresses })),
  };
}

/** The first of them in a line: `NL 12, DE 3, unknown 1, and 4 more`. Safe to show. */
export function describeCounts(counts: readonly OriginCount[], most: number, width: number): string {
  const shown = counts.slice(0, most).map(({ name, addresses }) => `${originName(name, width)} ${formatNumber(addresses)}`);
  return [...shown, ...(counts.length > most ? [`and ${formatNumber(counts.length - most)} more`] : [])].join(", ");
}

/** As it is shown to people. */
export function originName(name: string | null, width: number): string {
  return name === null ? "unknown" : clipEnd(visible(name), width);
}
