/** Indicators as tests of their forms want them. */
import type { Indicator } from "../../lib/indicators/indicator.ts";
import { HOSTILE_TEXTS } from "../hostile/texts.ts";

const FIRST_US = Date.UTC(2026, 7, 1) * 1000;
const LAST_US = Date.UTC(2026, 7, 2) * 1000;

/** Seen three times by each sensor, on 2026-08-01 and at the beginning of the next day. */
export function toIndicator({ sensors = ["a"], ...more }: Partial<Indicator> & Pick<Indicator, "type" | "value"> & { sensors?: readonly string[] }): Indicator {
  return {
    firstUs: FIRST_US,
    lastUs: LAST_US,
    days: 1,
    sightings: sensors.map(sensor => ({ sensor, firstUs: FIRST_US, lastUs: LAST_US, hits: 3 })),
    sources: 2,
    sessions: 3,
    hits: 3 * sensors.length,
    session: "s1",
    ...more,
  };
}

/** At least one of every type. */
export const ONE_OF_EACH: readonly Indicator[] = [
  toIndicator({ type: "address", value: "5.6.7.8", sensors: ["a", "b"] }),
  toIndicator({ type: "address", value: "2a01::1", session: undefined }),
  toIndicator({ type: "url", value: "http://evil.net/x?a='1'" }),
  toIndicator({ type: "host", value: "evil.net" }),
  toIndicator({ type: "host", value: "7.7.7.7" }),
  toIndicator({ type: "hash", value: "ab".repeat(32) }),
  toIndicator({ type: "key", value: `ssh-rsa AAAA${"b".repeat(40)}` }),
  toIndicator({ type: "hassh", value: "cd".repeat(16) }),
  toIndicator({ type: "credential", value: "a\\:' OR 1=1", username: "a\\", password: "' OR 1=1" }),
  toIndicator({ type: "proxy", value: "victim.org:25" }),
];

/** What attackers write, each once; without the megabytes, which say nothing more here. */
export const HOSTILE_VALUES: readonly string[] = [...new Set(HOSTILE_TEXTS)].filter(({ length }) => length < 2000);
