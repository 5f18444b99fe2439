/** Small archives, drawn at random, through every script that reads logs: what is written of them is what was agreed on. */
import { expect, test } from "bun:test";
import { askAll, readAgreedWorlds } from "./support/worlds.ts";

test("what is written of small archives is what was agreed on, piece by piece", async () => {
  // Another piece: a fault, or, where it is meant, `bun test/support/worlds.ts`, and named in the commit.
  expect(await askAll()).toEqual(readAgreedWorlds() as Record<string, string>);
});
