/** Names of what belongs to a report, and links between its pages. */
import { basename, dirname, join } from "node:path";

/**
 * Path of a file that lies beside a report and takes its name from it, so that two reports in one folder keep theirs:
 * `ams.html` has `ams-stats.html` and `ams-reduced.json`, while `result.html` has the plain names.
 */
export function besideReport(report: string, name: string): string {
  const stem = basename(report).replace(/\.html?$/i, "");
  return join(dirname(report), stem === "" || stem === "result" ? name : `${stem}-${name}`);
}

/** What a run with a report writes. */
export interface ReportPaths {
  /** Counts, cut to the top n and full. */
  readonly json: string;
  readonly arrow: string;
  readonly result: string;
  readonly stats: string;
}

/** @param json Counts in a place of their own; undefined = beside the report. The full ones take their name. */
export function reportPaths(result: string, json = besideReport(result, "reduced.json")): ReportPaths {
  return { json, arrow: `${json.replace(/\.json$/, "")}.arrow`, result, stats: besideReport(result, "stats.html") };
}

/** Link to a page in the same folder; whatever its name holds, it is no other address. */
export function linkToPage(path: string): string {
  return encodeURIComponent(basename(path));
}
