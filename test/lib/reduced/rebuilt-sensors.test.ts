import { expect, test } from "bun:test";
import { join } from "node:path";
import { parseSensorAliases } from "../../../lib/events/sensor-aliases.ts";
import { describeRebuiltSensors, sensorSpans } from "../../../lib/reduced/rebuilt-sensors.ts";
import { analyzeLogs } from "../../../lib/logs/analyze.ts";
import { makeTempDir, runScript } from "../../support/run.ts";

type Event = readonly [sensor: string, day: string];
const toLog = (events: readonly Event[]) =>
  events
    .map(([sensor, time], i) => `{"eventid":"cowrie.session.connect","timestamp":"${time}Z","sensor":"${sensor}","session":"s${i}"}\n`)
    .join("");

const IDS = ["0a1b2c3d4e5f", "ffffffffffff", "000000000001"];
const REBUILT: Event[] = IDS.flatMap((id, i): Event[] => [
  [id, `2024-01-0${i + 1}T03:00:00`],
  [id, `2024-01-0${i + 2}T02:59:59`],
]);

async function describeLog(events: readonly Event[], aliases?: string) {
  await using dir = await makeTempDir();
  await Bun.write(join(dir.path, "cowrie.json"), toLog(events));
  using analysis = await analyzeLogs([dir.path], {
    mode: "continue",
    outputs: [],
    dedupeLines: false,
    onNotice() {},
    onProblem() {},
    parameters: {
      robotMaxSeconds: 10,
      ...(aliases === undefined ? {} : { sensorAliases: parseSensorAliases(aliases, "f") }),
    },
  });
  return describeRebuiltSensors(sensorSpans(analysis.table));
}

test("container ids of which no two are at work at once are one sensor; the line that is shown joins them", async () => {
  const hint = (await describeLog(REBUILT))!;
  expect(hint).toContain("3 sensors are named like containers (0a1b2c3d4e5f to 000000000001)");
  const line = /"([^"]+=NAME)"/.exec(hint)![1]!;
  expect(line).toBe("????????????=NAME");
  expect(await describeLog(REBUILT, line)).toBeUndefined();
});

test("beside another name of twelve letters each id has a line of its own", async () => {
  const hint = (await describeLog([...REBUILT, ["honeypot-ams", "2024-01-02T00:00:00"]]))!;
  expect([...hint.matchAll(/"([^"]+)"/g)].map(match => match[1]!)).toEqual(IDS.map(id => `${id}=NAME`));
});

test("two at once are two, one is one, and other names are names", async () => {
  const [first, second] = [REBUILT.slice(0, 2), REBUILT.slice(2, 4)];
  expect(await describeLog([...first, ...second, [IDS[0]!, "2024-01-02T03:00:01"]])).toBeUndefined();
  expect(await describeLog(first)).toBeUndefined();
  expect(await describeLog([["hp-1", "2024-01-01T00:00:00"], ["hp-2", "2024-01-02T00:00:00"]])).toBeUndefined();
});

test("analyze-local and reduce say so", async () => {
  await using dir = await makeTempDir();
  await Bun.write(join(dir.path, "cowrie.json"), toLog(REBUILT));
  for (const script of ["analyze-local", "reduce"]) {
    const { stderr, exitCode } = await runScript(script, ["cowrie.json"], { cwd: dir.path });
    expect({ exitCode, says: stderr.includes("3 sensors are named like containers") }).toEqual({ exitCode: 0, says: true });
    const quiet = await runScript(script, ["cowrie.json", "-q"], { cwd: dir.path });
    expect(quiet.stderr).toBe("");
  }
});
