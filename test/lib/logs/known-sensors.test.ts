/** Names of a command line against the sensors that the logs have. */
import { expect, test } from "bun:test";
import { parseSensorAliases } from "../../../lib/events/sensor-aliases.ts";
import { checkSensors } from "../../../lib/logs/known-sensors.ts";
import { mapBytes } from "../../support/tables.ts";

async function check(options: { sensors?: string[]; aliases?: string }) {
  const line = (sensor: string) => `{"eventid":"e","timestamp":"2024-01-31T10:00:00Z","sensor":"${sensor}"}\n`;
  const { table } = await mapBytes(["hp-1", "hp-2", "lab"].map(line).join(""));
  async function* tables() {
    yield { table };
  }
  const { sensors = [], aliases = "" } = options;
  return checkSensors(tables(), { sensors, sensorAliases: parseSensorAliases(aliases, "f") });
}

test("a pattern of --sensor-alias is unused only where no name fits, and the names it gives are known", async () => {
  expect(await check({ aliases: "hp-?=hp\nla*=LAB", sensors: ["hp", "LAB"] })).toEqual({ missing: [], unused: [] });
  await expect(check({ aliases: "hp-??=hp\nnone=x" })).rejects.toThrow('sensor of --sensor-alias "hp-??"');
});
