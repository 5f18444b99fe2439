import { describe, expect, jest, test } from "bun:test";
import type { PathLike } from "node:fs";
import { link, readdir, rm, stat, symlink, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { lockOutputs } from "../../../lib/process/lock.ts";
import { isAlive, THIS_PROCESS } from "../../../lib/process/process-identity.ts";
import { makeTempDir, run } from "../../support/run.ts";
import { writeSource } from "../../support/source.ts";

const SINCE = "2026-01-02T03:04:05.000Z";
const NOBODY = { pid: 999_999_999, start: "1", host: hostname(), id: "00000000-0000", since: SINCE };
const sorted = async (dir: string) => (await readdir(dir)).sort();

describe("lockOutputs", () => {
  test("holds a file beside each output while it lasts", async () => {
    await using dir = await makeTempDir();
    {
      await using lock = await lockOutputs([join(dir.path, "b"), join(dir.path, "a"), "-", "/dev/null"]);
      expect(await sorted(dir.path)).toEqual([".a.lock", ".b.lock"]);
      expect(await Bun.file(join(dir.path, ".a.lock")).json()).toMatchObject(THIS_PROCESS);
      void lock;
    }
    expect(await sorted(dir.path)).toEqual([]);
  });

  test("says who holds it, and keeps none of the others", async () => {
    await using dir = await makeTempDir();
    const [a, b] = [join(dir.path, "a"), join(dir.path, "b")];
    await using held = await lockOutputs([b]);
    const error = await lockOutputs([a, b]).catch(failure => failure);
    expect(error.message).toMatch(
      new RegExp(`^Cannot write "${b}": process ${process.pid} has been writing it since \\d{4}-[^,]+Z, ` +
        `expected to wait for it \\(--wait SECONDS\\); "${dir.path}/\\.b\\.lock" ends a minute after its process$`),
    );
    expect(await sorted(dir.path)).toEqual([".b.lock"]);
    void held;
  });

  test("waits until the other lets go", async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, "a");
    const first = await lockOutputs([path]);
    const order: string[] = [];
    const second = lockOutputs([path], { waitSeconds: 60 }).then(lock => {
      order.push("second");
      return lock;
    });
    await Bun.sleep(1);
    order.push("first lets go");
    first.release();
    (await second).release();
    expect({ order, files: await sorted(dir.path) }).toEqual({ order: ["first lets go", "second"], files: [] });
  });

  const DEAD: { name: string; owner: object }[] = [
    { name: "of a process that is gone", owner: NOBODY },
    { name: "of a process whose pid is used again", owner: { ...NOBODY, pid: process.pid } },
  ];
  test.each(DEAD)("takes over a lock $name", async ({ owner }) => {
    await using dir = await makeTempDir();
    await Bun.write(join(dir.path, ".a.lock"), JSON.stringify(owner));
    const lock = await lockOutputs([join(dir.path, "a")]);
    expect(await Bun.file(join(dir.path, ".a.lock")).json()).toMatchObject(THIS_PROCESS);
    expect(await sorted(dir.path)).toEqual([".a.lock"]);
    lock.release();
    expect(await sorted(dir.path)).toEqual([]);
  });

  test("takes over from one that died while taking over", async () => {
    await using dir = await makeTempDir();
    await Bun.write(join(dir.path, ".a.lock"), JSON.stringify(NOBODY));
    await Bun.write(join(dir.path, `.a.lock.${NOBODY.id}`), JSON.stringify({ ...NOBODY, id: "00000000-0001" }));
    const lock = await lockOutputs([join(dir.path, "a")]);
    expect(await sorted(dir.path)).toEqual([".a.lock"]);
    lock.release();
  });

  test("leaves alone the lock of another machine, and a file that is none of ours", async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, "a");
    const lockPath = join(dir.path, ".a.lock");
    await Bun.write(lockPath, JSON.stringify({ ...NOBODY, host: "else\x1bwhere" }));
    await expect(lockOutputs([path])).rejects.toThrow(
      `process 999999999 on else\\x1bwhere has been writing it since ${SINCE}`,
    );
    for (const content of ["", "{", "null", "{}", JSON.stringify({ ...NOBODY, id: "../../x" })]) {
      await Bun.write(lockPath, content);
      await expect(lockOutputs([path])).rejects.toThrow(
        "is no lock of ours, expected to remove it if no run is at work",
      );
    }
    expect(await sorted(dir.path)).toEqual([".a.lock"]);
  });

  test("a lock of another machine or container, or an empty one, ends a minute after it was renewed last", async () => {
    await using dir = await makeTempDir();
    const [path, lockPath] = [join(dir.path, "a"), join(dir.path, ".a.lock")];
    const far = [{ host: "elsewhere" }, { space: "pid:[1]" }].map(other => JSON.stringify({ ...NOBODY, ...other }));
    for (const content of [...far, ""]) {
      for (const [ageSeconds, isOver] of [[50, false], [70, true]] as const) {
        await Bun.write(lockPath, content);
        const then = Date.now() / 1000 - ageSeconds;
        await utimes(lockPath, then, then);
        const lock = await lockOutputs([path]).catch(() => undefined);
        expect({ content, ageSeconds, isOver: lock !== undefined }).toEqual({ content, ageSeconds, isOver });
        lock?.release();
      }
    }
    expect(await sorted(dir.path)).toEqual([]);
  });

  test("a living process renews its lock, and no other", async () => {
    await using dir = await makeTempDir();
    const [path, lockPath] = [join(dir.path, "a"), join(dir.path, ".a.lock")];
    jest.useFakeTimers();
    try {
      const lock = await lockOutputs([path]);
      const makeOld = () => utimes(lockPath, 1, 1);
      await makeOld();
      jest.advanceTimersByTime(11_000);
      expect((await stat(lockPath)).mtimeMs).toBeGreaterThan(1000);
      const other = JSON.stringify({ ...NOBODY, host: "elsewhere" });
      await Bun.write(lockPath, other);
      await makeOld();
      jest.advanceTimersByTime(11_000);
      lock.release();
      expect([await Bun.file(lockPath).text(), (await stat(lockPath)).mtimeMs]).toEqual([other, 1000]);
    } finally {
      jest.useRealTimers();
    }
  });

  test("a lock that was taken while its dead predecessor was looked at is left alone", async () => {
    await using dir = await makeTempDir();
    const [path, lockPath] = [join(dir.path, "a"), join(dir.path, ".a.lock")];
    await Bun.write(lockPath, JSON.stringify(NOBODY));
    const live = { ...THIS_PROCESS, id: "00000000-0002", since: SINCE };
    let inner = 0;
    const linkLate = async (from: PathLike, to: PathLike) => {
      // Another run was faster: between the look at the dead lock and the lock for replacing it.
      if (String(to).endsWith(NOBODY.id)) {
        inner++;
        await Bun.write(lockPath, JSON.stringify(live));
      }
      await link(from, to);
    };
    await expect(lockOutputs([path], { link: linkLate })).rejects.toThrow(`process ${process.pid} has been writing it`);
    expect([inner, await Bun.file(lockPath).json(), await sorted(dir.path)]).toEqual([1, live, [".a.lock"]]);
  });

  test("the same without hard links: one holds it, the dead are replaced, nothing is left", async () => {
    await using dir = await makeTempDir();
    const [path, lockPath] = [join(dir.path, "a"), join(dir.path, ".a.lock")];
    for (const code of ["EPERM", "ENOTSUP", "ENOSYS"]) {
      const options = {
        link: async () => {
          throw Object.assign(new Error("no hard links"), { code });
        },
      };
      const lock = await lockOutputs([path], options);
      expect(await Bun.file(lockPath).json()).toMatchObject(THIS_PROCESS);
      await expect(lockOutputs([path], options)).rejects.toThrow("has been writing it since");
      lock.release();
      await Bun.write(lockPath, JSON.stringify(NOBODY));
      (await lockOutputs([path], options)).release();
      expect(await sorted(dir.path)).toEqual([]);
    }
    const failing = async () => {
      throw Object.assign(new Error("broken"), { code: "EIO" });
    };
    await expect(lockOutputs([path], { link: failing })).rejects.toThrow("the disk reports an error");
    expect(await sorted(dir.path)).toEqual([]);
  });

  test("a pipe or a link in the place of a lock is not opened", async () => {
    await using dir = await makeTempDir();
    const [path, lockPath] = [join(dir.path, "a"), join(dir.path, ".a.lock")];
    expect(Bun.spawnSync(["mkfifo", lockPath]).exitCode).toBe(0);
    await expect(lockOutputs([path])).rejects.toThrow("is no lock of ours");
    await rm(lockPath);
    await Bun.write(join(dir.path, "other"), JSON.stringify(NOBODY));
    await symlink("other", lockPath);
    await expect(lockOutputs([path])).rejects.toThrow("is no lock of ours");
    expect(await sorted(dir.path)).toEqual([".a.lock", "other"]);
  });

  test("many at once in one process take turns", async () => {
    await using dir = await makeTempDir();
    let inside = 0;
    const most: number[] = [];
    await Promise.all(Array.from({ length: 8 }, async () => {
      await using lock = await lockOutputs([join(dir.path, "a")], { waitSeconds: 60 });
      most.push(++inside);
      await Bun.sleep(1);
      inside--;
      void lock;
    }));
    expect({ most, files: await sorted(dir.path) }).toEqual({ most: Array(8).fill(1), files: [] });
  });
});

const COUNTER = `
  import { EXIT, runMain, writeOut } from "$lib/process/cli.ts";
  import { lockOutputs } from "$lib/process/lock.ts";
  import { writeOutputs } from "$lib/process/output-file.ts";
  await runMain("counter", async ([mode, turns]) => {
    for (let turn = 0; turn < Number(turns); turn++) {
      const lock = await lockOutputs(["count"], { waitSeconds: mode === "now" ? 0 : 300 });
      const count = Number(await Bun.file("count").text());
      await writeOutputs([["count", String(count + 1)]]);
      // Dies with the lock in its hands.
      if (mode === "die") process.kill(process.pid, "SIGKILL");
      if (mode === "hold") { await writeOut("ready\\n"); await Bun.sleep(60_000); }
      lock.release();
    }
    return EXIT.ok;
  });`;

describe("as processes", () => {
  test("no turn is lost, though some die holding the lock and several find it dead at once", async () => {
    await using dir = await makeTempDir();
    const command = await writeSource(dir.path, COUNTER);
    await Bun.write(join(dir.path, "count"), "0");
    const runs = ["die", "wait", "die", "wait", "die", "wait"].map(mode =>
      run([...command, mode, mode === "die" ? "1" : "10"], { cwd: dir.path }),
    );
    const exitCodes = (await Promise.all(runs)).map(({ exitCode, stderr }) => stderr || exitCode);
    // The last to die may have left its lock: the next run takes it.
    await run([...command, "now", "1"], { cwd: dir.path });
    const count = await Bun.file(join(dir.path, "count")).text();
    expect({ exitCodes, count, files: await sorted(dir.path) }).toEqual({
      exitCodes: [137, 0, 137, 0, 137, 0], count: "34", files: ["count", "program.ts"],
    });
  });

  test("a second run says who is at work and exits 1; a signal frees the lock", async () => {
    await using dir = await makeTempDir();
    const command = await writeSource(dir.path, COUNTER);
    await Bun.write(join(dir.path, "count"), "0");
    const first = Bun.spawn([...command, "hold", "1"], { cwd: dir.path, stdout: "pipe", stderr: "inherit" });
    await first.stdout.getReader().read();
    const second = await run([...command, "now", "1"], { cwd: dir.path });
    expect({ stdout: second.stdout, stderr: second.stderr, exitCode: second.exitCode }).toEqual({
      stdout: "",
      stderr: expect.stringContaining(`counter: Cannot write "count": process ${first.pid} has been writing it since`),
      exitCode: 1,
    });
    first.kill("SIGTERM");
    await first.exited;
    expect(await sorted(dir.path)).toEqual(["count", "program.ts"]);
  });
});

test("isAlive() knows this process, its parent and the dead", async () => {
  const child = Bun.spawn(["true"], { stdout: "ignore" });
  await child.exited;
  expect([
    isAlive(THIS_PROCESS),
    isAlive({ ...THIS_PROCESS, pid: process.ppid, start: "" }),
    isAlive({ ...THIS_PROCESS, pid: child.pid }),
    isAlive({ ...THIS_PROCESS, pid: 0 }),
    isAlive({ ...THIS_PROCESS, pid: -1 }),
    isAlive({ ...THIS_PROCESS, pid: 1, start: "", host: "elsewhere" }),
  ]).toEqual([true, true, false, false, false, true]);
});
