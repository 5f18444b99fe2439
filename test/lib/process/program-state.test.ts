import { expect, test } from "bun:test";
import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { programState, stateOfProgram } from "../../../lib/process/program-state.ts";
import { makeTempDir } from "../../support/run.ts";

test("the program of this run has a name of its own that stays", () => {
  expect(programState()).toMatch(/^[0-9a-f]{32}$/);
  expect(programState()).toBe(programState());
});

test("every file of it counts: changed, added, removed, another package", async () => {
  await using dir = await makeTempDir();
  const at = (path: string) => join(dir.path, path);
  for (const folder of ["lib/text", "scripts", "templates", "node_modules/mustache"]) mkdirSync(at(folder), { recursive: true });
  writeFileSync(at("lib/text/a.ts"), "1");
  writeFileSync(at("package.json"), "{}");
  const seen = new Set<string>();
  const look = () => {
    const state = stateOfProgram(dir.path);
    expect(stateOfProgram(dir.path)).toBe(state);
    expect(seen.has(state)).toBeFalse();
    seen.add(state);
  };
  look();
  writeFileSync(at("lib/text/a.ts"), "22");
  look();
  writeFileSync(at("templates/b.css"), "");
  look();
  renameSync(at("templates/b.css"), at("templates/c.css"));
  look();
  writeFileSync(at("node_modules/mustache/package.json"), "{}");
  look();
  // As another clone has it, whose package is the same file.
  const before = stateOfProgram(dir.path);
  linkSync(at("node_modules/mustache/package.json"), at("another"));
  expect(stateOfProgram(dir.path)).toBe(before);
  rmSync(at("package.json"));
  look();
});
