/**
 * The sensors of a set of logs, held against those that a command line names: a name that no log has would give an
 * empty answer that looks like a quiet sensor.
 */
import { allTexts } from "../columns/dictionary.ts";
import type { EventTable } from "../events/event-table.ts";
import type { EventScope } from "../events/scope.ts";
import { sensorNamer } from "../events/sensor-aliases.ts";
import { checkNames } from "../process/option-values.ts";
import { matchesGlob } from "../text/glob.ts";

/**
 * Hold the sensors of --sensor and --sensor-alias against those of the logs.
 *
 * @param tables Walked only where a sensor is named.
 * @throws {UsageError} if none of the sensors asked for is there, or none of those renamed.
 */
export async function checkSensors(
  tables: AsyncIterable<{ readonly table: EventTable }>,
  { sensors = [], sensorAliases = {} }: Pick<EventScope, "sensors" | "sensorAliases">,
) {
  const renamed = Object.keys(sensorAliases);
  if (sensors.length === 0 && renamed.length === 0) return { missing: [], unused: [] };
  // Events without a sensor, which any log may have, count under "".
  const found = new Set<string>([""]);
  for await (const { table } of tables) {
    for await (const _ of table.batches()) break;
    const texts = table.dictionaries.get("sensor");
    if (texts !== undefined) for (const name of allTexts(texts)) found.add(name);
  }
  // A name that is a pattern as well fits itself.
  const isMeant = (name: string, pattern: string) => name === pattern || matchesGlob(pattern, name);
  const known = new Set([...found].map(sensorNamer(sensorAliases)));
  known.delete("");
  return {
    missing: checkNames("sensor", sensors.filter(name => name !== ""), [...known].sort()),
    unused: checkNames("sensor of --sensor-alias", renamed, [...found].sort(), isMeant),
  };
}
