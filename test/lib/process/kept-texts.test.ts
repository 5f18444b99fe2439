import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readKeptText, writeKeptText } from "../../../lib/process/kept-texts.ts";
import { makeTempDir } from "../../support/run.ts";

/** A state folder of its own. */
async function makeState() {
  const dir = await makeTempDir();
  const before = process.env.XDG_STATE_HOME;
  process.env.XDG_STATE_HOME = dir.path;
  return {
    folder: join(dir.path, "cowrie-longitudinal"),
    async [Symbol.asyncDispose]() {
      process.env.XDG_STATE_HOME = before;
      await dir[Symbol.asyncDispose]();
    },
  };
}

test("a text is there again, secret, until it is written anew", async () => {
  await using state = await makeState();
  expect(readKeptText("test", "a")).toBeUndefined();
  writeKeptText("test", "a", "Grüße\n");
  expect(readKeptText("test", "a")).toBe("Grüße\n");
  expect(statSync(join(state.folder, "test/a")).mode & 0o777).toBe(0o600);
  writeKeptText("test", "a", "");
  expect(readKeptText("test", "a")).toBe("");
  expect(readdirSync(join(state.folder, "test"))).toEqual(["a"]);
});

test("what somebody else put there is none: another text, another name, another purpose, a key that is gone", async () => {
  await using state = await makeState();
  writeKeptText("test", "a", "true");
  const path = join(state.folder, "test/a");
  const bytes = readFileSync(path);
  writeKeptText("other", "a", "x");
  for (const elsewhere of ["test/b", "other/a"]) writeFileSync(join(state.folder, elsewhere), bytes);
  expect([readKeptText("test", "b"), readKeptText("other", "a")]).toEqual([undefined, undefined]);

  writeFileSync(path, Buffer.concat([bytes.subarray(0, -1), Buffer.from("f")]));
  expect(readKeptText("test", "a")).toBeUndefined();
  writeFileSync(path, bytes.subarray(0, 5));
  expect(readKeptText("test", "a")).toBeUndefined();
  writeFileSync(path, bytes);
  expect(readKeptText("test", "a")).toBe("true");
});

test("of many only the newest are kept", async () => {
  await using state = await makeState();
  for (let i = 0; i < 203; i++) writeKeptText("test", `n${i}`, "x");
  expect(readdirSync(join(state.folder, "test"))).toHaveLength(200);
  expect(existsSync(join(state.folder, "test/n202"))).toBeTrue();
});
