/**
 * When sensors were not watching, as the operator says: a list that the coverage believes.
 *
 * Tested in `test/lib/statistics/coverage.test.ts`.
 */
import { DAY_US, parseTimestampUs, toDay } from "../text/time.ts";

/** A time for which the operator says that a sensor was not watching; half-open. */
export interface Downtime {
  /** A sensor's name, or "*" for all. */
  readonly sensor: string;
  readonly fromUs: number;
  readonly toUs: number;
}

/**
 * Read the operator's list: one `sensor,from,to` per line, `*` for every sensor, instants in ISO form with a zone or
 * bare days (a bare `to` day is included). Blank lines, `#` lines and a `sensor,from,to` heading are passed over.
 *
 * @throws {SyntaxError} naming the line, if one has another form or ends before it starts.
 */
export function parseDowntime(text: string): Downtime[] {
  const list: Downtime[] = [];
  for (const [index, raw] of text.replace(/^\uFEFF/, "").split("\n").entries()) {
    const line = raw.trim();
    const heading = list.length === 0 && /^sensor\s*,\s*from\s*,\s*to$/i.test(line);
    if (line === "" || line.startsWith("#") || heading) continue;
    const fields = /^(?:"([^"]*(?:""[^"]*)*)"|([^,]*)),([^,]*),([^,]*)$/.exec(line);
    const sensor = fields?.[1]?.replaceAll('""', '"') ?? fields?.[2]?.trim();
    const fromUs = parseInstantUs(fields?.[3]?.trim() ?? "", 0);
    const toUs = parseInstantUs(fields?.[4]?.trim() ?? "", 1);
    if (sensor === undefined || !(fromUs < toUs)) {
      throw new SyntaxError(
        `Cannot read line ${index + 1} of the downtime list: ${JSON.stringify(line.slice(0, 80))}, ` +
          "expected sensor,from,to with to behind from",
      );
    }
    list.push({ sensor, fromUs, toUs });
  }
  return list;
}

function parseInstantUs(text: string, extraDays: number): number {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (match === null) return parseTimestampUs(text);
  return (toDay(Number(match[1]), Number(match[2]), Number(match[3])) + extraDays) * DAY_US;
}
