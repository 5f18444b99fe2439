import { afterEach, expect, setSystemTime, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { verifyKept, writeKept } from "../../../lib/process/kept-files.ts";
import { makeTempDir, run } from "../../support/run.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A folder whose state folder is its own: each test has a key of its own. */
async function makePlace() {
  const dir = await makeTempDir();
  const before = process.env.XDG_STATE_HOME;
  const state = join(dir.path, "state");
  process.env.XDG_STATE_HOME = state;
  let n = 0;
  return {
    path: dir.path,
    key: join(state, "cowrie-longitudinal/key"),
    notes: join(state, "cowrie-longitudinal/kept"),
    keep(name: string, text: string, purpose = "test") {
      const path = join(dir.path, name);
      const written = writeKept(`${path}.${n++}`, purpose, [bytes(text), bytes("!")], { mode: 0o600, name: path });
      return { path, written: written! };
    },
    async [Symbol.asyncDispose]() {
      process.env.XDG_STATE_HOME = before;
      await dir[Symbol.asyncDispose]();
    },
  };
}

afterEach(() => {
  setSystemTime();
});

test("what was written is believed, for its purpose; its key and notes are secret", async () => {
  await using place = await makePlace();
  const { path, written } = place.keep("a", "text");
  expect(readFileSync(path, "utf8")).toBe("text!");
  expect(verifyKept(path, "test")).toBe(written);
  expect(verifyKept(path, "another")).toBeUndefined();
  expect(verifyKept(join(place.path, "none"), "test")).toBeUndefined();
  expect([place.key, place.notes, path].map(file => statSync(file).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
});

test("what somebody else put there is not: changed with its times kept, replaced, a link, writable to others", async () => {
  await using place = await makePlace();
  const { path } = place.keep("a", "text");
  const other = place.keep("b", "other");
  // Noted by its state as well.
  setSystemTime(new Date(Date.now() + 10_000));
  expect(verifyKept(path, "test")).toBeDefined();

  const { atime, mtime } = statSync(path);
  writeFileSync(path, "next!");
  utimesSync(path, atime, mtime);
  expect(verifyKept(path, "test")).toBeUndefined();
  writeFileSync(path, "text!");
  expect(verifyKept(path, "test")).toBeDefined();

  chmodSync(path, 0o622);
  expect(verifyKept(path, "test")).toBeUndefined();
  chmodSync(path, 0o600);

  renameSync(path, join(place.path, "moved"));
  expect(verifyKept(join(place.path, "moved"), "test")).toBeDefined();
  symlinkSync(other.path, path);
  expect(verifyKept(path, "test")).toBeUndefined();
});

test("the state of a file that was verified is noted once it is older than the clock's tick, and spares the hashing", async () => {
  await using place = await makePlace();
  const { path } = place.keep("a", "text");
  const sizes = () => statSync(place.notes).size;
  expect(sizes()).toBe(16);
  verifyKept(path, "test");
  expect(sizes()).toBe(16);
  setSystemTime(new Date(Date.now() + 10_000));
  verifyKept(path, "test");
  expect(sizes()).toBe(32);
  verifyKept(path, "test");
  expect(sizes()).toBe(32);
});

const CHECK = `
  import { keyProblem, verifyKept } from ${JSON.stringify(join(import.meta.dir, "../../../lib/process/kept-files.ts"))};
  console.log(JSON.stringify([keyProblem() ?? "", verifyKept(Bun.argv[2], "test") !== undefined]));`;

async function inAnotherRun(place: { path: string }, path: string, env: Record<string, string | undefined> = {}) {
  await Bun.write(join(place.path, "check.ts"), CHECK);
  const { stdout, stderr } = await run([process.execPath, join(place.path, "check.ts"), path], { env });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as [problem: string, isBelieved: boolean];
}

test("another run believes it; with another key, a lost one or forged notes it does not", async () => {
  await using place = await makePlace();
  const { path } = place.keep("a", "text");
  const env = { XDG_STATE_HOME: join(place.path, "state") };
  expect(await inAnotherRun(place, path, env)).toEqual(["", true]);
  expect(await inAnotherRun(place, path, { XDG_STATE_HOME: join(place.path, "elsewhere") })).toEqual(["", false]);

  const notes = readFileSync(place.notes);
  writeFileSync(place.notes, Buffer.alloc(64));
  expect(await inAnotherRun(place, path, env)).toEqual(["", false]);
  // Torn by a full disk: forgotten, and begun anew.
  writeFileSync(place.notes, notes.subarray(0, 7));
  expect(await inAnotherRun(place, path, env)).toEqual(["", false]);
  expect(existsSync(place.notes)).toBe(false);
});

test("a key that others could read, or that is damaged, is replaced by a new one", async () => {
  await using place = await makePlace();
  const { path } = place.keep("a", "text");
  const env = { XDG_STATE_HOME: join(place.path, "state") };
  const old = readFileSync(place.key, "utf8");
  chmodSync(place.key, 0o644);
  expect(await inAnotherRun(place, path, env)).toEqual(["", false]);
  const made = readFileSync(place.key, "utf8");
  expect([made === old, statSync(place.key).mode & 0o777]).toEqual([false, 0o600]);
  writeFileSync(place.key, "x");
  expect(await inAnotherRun(place, path, env)).toEqual(["", false]);
  expect(readFileSync(place.key, "utf8")).toMatch(/^[0-9a-f]{64}\n$/);
});

test("as cron has it: without XDG_STATE_HOME the key lies in the home", async () => {
  await using place = await makePlace();
  const { path } = place.keep("a", "text");
  mkdirSync(join(place.path, "home"));
  const env = { XDG_STATE_HOME: undefined, XDG_RUNTIME_DIR: undefined, HOME: join(place.path, "home") };
  expect(await inAnotherRun(place, path, env)).toEqual(["", false]);
  expect(statSync(join(place.path, "home/.local/state/cowrie-longitudinal/key")).mode & 0o777).toBe(0o600);
});

test("where no key can be made nothing is believed, and it is said why", async () => {
  await using place = await makePlace();
  const { path } = place.keep("a", "text");
  // A file where a folder is wanted: for root as well.
  writeFileSync(join(place.path, "file"), "");
  expect(await inAnotherRun(place, path, { XDG_STATE_HOME: join(place.path, "file") })).toEqual([
    expect.stringMatching(/^Cannot make a key to know event tables by \(.*file.*\): logs are read anew in every run/),
    false,
  ]);
});
