/** Events of sound logs by one JSON.parse a line: what counts over event tables are checked against. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { listLogs } from "./real-logs.ts";

export type PlainEvent = { eventid: string; timestamp: string } & Record<string, unknown>;

/** All events of the logs in a folder; only for folders without copies, torn lines and the like. */
export function plainEvents(folder: string): PlainEvent[] {
  const events: PlainEvent[] = [];
  for (const path of listLogs(folder)) {
    const bytes = readFileSync(path);
    const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString("utf8");
    for (const line of text.split("\n")) if (line.trim() !== "") events.push(JSON.parse(line) as PlainEvent);
  }
  return events;
}

/** How often each key occurs. */
export function countBy(events: readonly PlainEvent[], keyOf: (event: PlainEvent) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const event of events) counts.set(keyOf(event), (counts.get(keyOf(event)) ?? 0) + 1);
  return counts;
}
