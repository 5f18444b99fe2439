/**
 * Indicators as lines: for people, for spreadsheets, for programs, and as what firewalls and resolvers read.
 *
 * Tested in `test/scripts/indicators.test.ts`.
 */
import { originToJson } from "../origin/origins.ts";
import { toCsvLine } from "../text/csv.ts";
import { plural, toIsoInstant } from "../text/format.ts";
import { toSafeJson, visible } from "../text/text.ts";
import { addressVersion } from "../text/address.ts";
import { defang, type Indicator, INDICATOR_TYPES, type IndicatorType } from "./indicator.ts";

/** What reads a block list. */
export const BLOCKERS = ["nftables", "ipset", "hosts", "fail2ban"] as const;
export type Blocker = (typeof BLOCKERS)[number];
/** Of the sets, and of the jail. */
const SET_NAME = "cowrie";
/** Elements in one line, so that no reader meets an endless one. */
const ELEMENTS_A_LINE = 512;

export interface IndicatorTextOptions {
  readonly defang: boolean;
}

const COLUMNS = [
  "value", "type", "first_seen", "last_seen", "days", "sensors", "sources", "sessions", "hits", "campaign", "country", "asn", "as_org",
] as const;

/** The columns of an indicator, in their order. */
function factsOf(indicator: Indicator, options: IndicatorTextOptions): Record<(typeof COLUMNS)[number], string | number | null> {
  const { type, value, firstUs, lastUs, days, sightings, sources, sessions, hits, campaigns, origin } = indicator;
  return {
    value: options.defang ? defang(indicator) : value,
    type,
    first_seen: toIsoInstant(firstUs),
    last_seen: toIsoInstant(lastUs),
    days,
    sensors: sightings.length,
    sources,
    sessions,
    hits,
    campaign: campaigns === undefined || campaigns.length === 0 ? null : campaigns.join(" "),
    ...originToJson(origin ?? { country: null, asn: null, asOrg: null }),
  };
}

/** CSV with a header; safe in a spreadsheet. */
export function* indicatorsToCsv(indicators: readonly Indicator[], options: IndicatorTextOptions): Generator<string> {
  yield toCsvLine(COLUMNS);
  for (const indicator of indicators) {
    const facts = factsOf(indicator, options);
    yield toCsvLine(COLUMNS.map(column => facts[column]));
  }
}

/** NDJSON: the columns of CSV, a credential in its two parts, and by which sensors it was seen. */
export function* indicatorsToJson(indicators: readonly Indicator[], options: IndicatorTextOptions): Generator<string> {
  for (const indicator of indicators) {
    const { username, password, session, sightings } = indicator;
    yield `${toSafeJson({
      ...factsOf(indicator, options),
      ...(username !== undefined && { username, password }),
      session: session ?? null,
      seen_by: sightings.map(({ sensor, firstUs, lastUs, hits }) => ({
        sensor,
        first_seen: toIsoInstant(firstUs),
        last_seen: toIsoInstant(lastUs),
        hits,
      })),
    })}\n`;
  }
}

/** One value a line; what they are stands in lines of `#` before them. */
export function* indicatorsToPlain(indicators: readonly Indicator[], options: IndicatorTextOptions): Generator<string> {
  let type: IndicatorType | undefined;
  for (const indicator of indicators) {
    if (indicator.type !== type) {
      type = indicator.type;
      const own = indicators.filter(one => one.type === type);
      yield `# ${plural(own.length, "value")}: ${INDICATOR_TYPES[type]}\n`;
    }
    yield `${visible(options.defang ? defang(indicator) : indicator.value)}\n`;
  }
}

/** What a firewall, a resolver or fail2ban takes; of the indicators only those that it can block. */
export function* indicatorsToBlocker(indicators: readonly Indicator[], blocker: Blocker): Generator<string> {
  // Nothing else than addresses, and names of letters, digits, dots and hyphens, ever gets in here.
  const values = [...new Set(indicators.filter(({ type }) => type === "address" || type === "host").map(({ value }) => value))];
  const [v4, v6] = [4, 6].map(version => values.filter(value => addressVersion(value) === version));
  if (blocker === "hosts") {
    for (const host of values) if (addressVersion(host) === 0) yield `0.0.0.0 ${host}\n`;
  } else if (blocker === "fail2ban") {
    for (const address of [...v4!, ...v6!]) yield `set ${SET_NAME} banip ${address}\n`;
  } else if (blocker === "ipset") {
    for (const [family, own] of [["inet", v4!], ["inet6", v6!]] as const) {
      const name = family === "inet" ? SET_NAME : `${SET_NAME}6`;
      yield `create ${name} hash:ip family ${family} maxelem ${Math.max(65_536, own.length)} -exist\nflush ${name}\n`;
      for (const address of own) yield `add ${name} ${address} -exist\n`;
    }
  } else {
    yield `add table inet ${SET_NAME}\n`;
    for (const [type, own] of [["ipv4_addr", v4!], ["ipv6_addr", v6!]] as const) {
      const name = `${SET_NAME}${type === "ipv4_addr" ? 4 : 6}`;
      yield `add set inet ${SET_NAME} ${name} { type ${type}; }\nflush set inet ${SET_NAME} ${name}\n`;
      for (let i = 0; i < own.length; i += ELEMENTS_A_LINE) {
        yield `add element inet ${SET_NAME} ${name} { ${own.slice(i, i + ELEMENTS_A_LINE).join(", ")} }\n`;
      }
    }
  }
}
