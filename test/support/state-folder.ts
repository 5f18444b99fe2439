/** The key and notes on kept files that tests make lie in a folder of their own, not in the home of whoever runs them. */
import { afterAll } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "cowrie-state-"));
process.env.XDG_STATE_HOME = folder;

afterAll(() => rmSync(folder, { recursive: true, force: true }));
