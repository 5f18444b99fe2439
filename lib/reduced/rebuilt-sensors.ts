/**
 * One sensor under many names: Cowrie in a container is named by the container's id, and has another one each time that it
 * is built anew (T-Pot does so every night).
 */
import type { ReducedTable } from "./reduced-table.ts";

const CONTAINER_ID = /^[0-9a-f]{12}$/;
/** The pattern of all container ids, for --sensor-alias. */
const ANY_ID = "?".repeat(12);

/** First and last event of each sensor, by name; microseconds since 1970-01-01 UTC. */
export type SensorSpans = Map<string, { firstUs: number; lastUs: number }>;

/** @param spans To which those of the table are added. */
export function sensorSpans({ kinds, dictionaries }: Pick<ReducedTable, "kinds" | "dictionaries">, spans: SensorSpans = new Map()): SensorSpans {
  const { rows, sensor, firstSeenUs, lastSeenUs } = kinds.event;
  for (let row = 0; row < rows; row++) {
    const name = dictionaries.sensor[sensor[row]!]!;
    const span = spans.get(name);
    if (span === undefined) {
      spans.set(name, { firstUs: firstSeenUs[row]!, lastUs: lastSeenUs[row]! });
    } else {
      span.firstUs = Math.min(span.firstUs, firstSeenUs[row]!);
      span.lastUs = Math.max(span.lastUs, lastSeenUs[row]!);
    }
  }
  return spans;
}

/**
 * Names of sensors that are container ids, no two of which were ever at work at the same time: probably one sensor.
 *
 * @returns A hint with the lines of a --sensor-alias file that join them; undefined if there is no such thing.
 */
export function describeRebuiltSensors(spans: SensorSpans): string | undefined {
  const found = [...spans]
    .map(([name, span]) => ({ name, ...span }))
    .sort((a, b) => a.firstUs - b.firstUs);
  const ids = found.filter(({ name }) => CONTAINER_ID.test(name));
  if (ids.length < 2 || ids.some(({ firstUs }, i) => i > 0 && firstUs < ids[i - 1]!.lastUs)) return undefined;
  const isOnlyIds = found.every(({ name }) => name.length !== ANY_ID.length || CONTAINER_ID.test(name));
  const lines = isOnlyIds ? [ANY_ID] : ids.map(({ name }) => name);
  return (
    `${ids.length} sensors are named like containers (${ids[0]!.name} to ${ids.at(-1)!.name}), no two of them at work at once: ` +
    `probably one that was built anew. --sensor-alias with a file of ${lines.map(from => `"${from}=NAME"`).join(", ")} ` +
    "counts them as one"
  );
}
