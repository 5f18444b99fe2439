import { expect, test } from "bun:test";
import { homedir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "../../../lib/process/user-folders.ts";

test("the cache is where the user wants it, else in the home", () => {
  const before = process.env.XDG_CACHE_HOME;
  try {
    process.env.XDG_CACHE_HOME = "/somewhere/else";
    expect(cacheFolder()).toBe("/somewhere/else/cowrie-longitudinal");
    expect(cacheFolder("remote", "tables")).toBe("/somewhere/else/cowrie-longitudinal/remote/tables");
    // Set to nothing is not set.
    process.env.XDG_CACHE_HOME = "";
    expect(cacheFolder("remote")).toBe(join(homedir(), ".cache/cowrie-longitudinal/remote"));
  } finally {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
  }
});
