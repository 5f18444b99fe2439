/** What an earlier run wrote, read back; the records themselves are in `test/scripts/campaigns.test.ts`. */
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { readEarlier } from "../../../lib/campaigns/campaign-records.ts";
import { makeTempDir } from "../../support/run.ts";

const dir = await makeTempDir();
afterAll(() => dir[Symbol.asyncDispose]());
const format = "cowrie-campaigns-1";
const one = { id: "2cf0a061", name: "heron", sessions: 5 };

test.each([
  ["not JSON", "{", "not JSON, expected what campaigns.ts --json wrote"],
  ["nothing", "null", "expected what campaigns.ts --json wrote"],
  ["another format", JSON.stringify({ format: "x", campaigns: [one] }), "expected what campaigns.ts --json wrote"],
  ["no list", JSON.stringify({ format, campaigns: {} }), "expected what campaigns.ts --json wrote"],
  ["no campaign", JSON.stringify({ format, campaigns: [null] }), "a campaign without id and name"],
  ["no id", JSON.stringify({ format, campaigns: [{ name: "heron" }] }), "a campaign without id and name"],
  ["an id of three digits", JSON.stringify({ format, campaigns: [{ ...one, id: "2cf" }] }), "a campaign without id and name"],
  ["no name", JSON.stringify({ format, campaigns: [{ id: one.id }] }), "a campaign without id and name"],
] as const)("%s is refused", async (_, text, why) => {
  const path = join(dir.path, "before.json");
  await Bun.write(path, text);
  expect(() => readEarlier(path)).toThrow(`Cannot read "${path}": ${why}`);
});

test("ids and names come back, of none as well", async () => {
  const path = join(dir.path, "before.json");
  await Bun.write(path, JSON.stringify({ format, campaigns: [one, { ...one, id: "2cf0" }] }));
  expect(readEarlier(path)).toEqual([{ id: "2cf0a061", name: "heron" }, { id: "2cf0", name: "heron" }]);
  await Bun.write(path, JSON.stringify({ format, campaigns: [] }));
  expect(readEarlier(path)).toEqual([]);
});
