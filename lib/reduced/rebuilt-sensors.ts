/**
 * One sensor under many names: Cowrie in a container is named by the container's id, and has another one each time that it
 * is built anew (T-Pot does so every night).
 */
import type { ReducedTable } from "./reduced-table.ts";

const CONTAINER_ID = /^[0-9a-f]{12}$/;
/** The pattern of all container ids, for --sensor-alias. */
const ANY_ID = "?".repeat(12);

/**
 * Names of sensors that are container ids, no two of which were ever at work at the same time: probably one sensor.
 *
 * @returns A hint with the lines of a --sensor-alias file that join them; undefined if there is no such thing.
 */
export function describeRebuiltSensors({ kinds, dictionaries }: ReducedTable): string | undefined {
  const { rows, sensor, firstSeenUs, lastSeenUs } = kinds.event;
  const spans = new Map<number, { firstUs: number; lastUs: number }>();
  for (let row = 0; row < rows; row++) {
    const code = sensor[row]!;
    const span = spans.get(code);
    if (span === undefined) {
      spans.set(code, { firstUs: firstSeenUs[row]!, lastUs: lastSeenUs[row]! });
    } else {
      span.firstUs = Math.min(span.firstUs, firstSeenUs[row]!);
      span.lastUs = Math.max(span.lastUs, lastSeenUs[row]!);
    }
  }
  const found = [...spans]
    .map(([code, span]) => ({ name: dictionaries.sensor[code]!, ...span }))
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
