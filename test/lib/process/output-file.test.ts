import { describe, expect, test } from "bun:test";
import { chmod, lstat, mkdir, readdir, stat, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../../../lib/process/command.ts";
import { assertWritable, hiddenStem, OutputSet, partialPathOf, resolveOutput, writeOutputs }
  from "../../../lib/process/output-file.ts";
import { AS_NOBODY, missing } from "../../support/needs.ts";
import { makeTempDir, run } from "../../support/run.ts";
import { shell, writeSource } from "../../support/source.ts";

const text = (path: string) => Bun.file(path).text();
const sorted = async (dir: string) => (await readdir(dir)).sort();

describe("writeOutputs", () => {
  test("writes text, bytes and chunks, makes folders, leaves nothing else", async () => {
    await using dir = await makeTempDir();
    const big = new Uint8Array(3_000_000).fill(98);
    await writeOutputs([
      [join(dir.path, "a.txt"), "é\n"],
      [join(dir.path, "deep/er/b.bin"), big],
      [join(dir.path, "c.txt"), ["1", new Uint8Array([50]), ""]],
    ]);
    expect(await text(join(dir.path, "a.txt"))).toBe("é\n");
    expect(await Bun.file(join(dir.path, "deep/er/b.bin")).bytes()).toEqual(big);
    expect(await text(join(dir.path, "c.txt"))).toBe("12");
    expect([await sorted(dir.path), await sorted(join(dir.path, "deep/er"))]).toEqual([
      ["a.txt", "c.txt", "deep"], ["b.bin"],
    ]);
  });

  test("replaces nothing when a later output fails", async () => {
    await using dir = await makeTempDir();
    const [a, b] = [join(dir.path, "a"), join(dir.path, "b")];
    await writeOutputs([[a, "old a"], [b, "old b"]]);
    const failing = async function* () {
      yield "half";
      throw new Error("no luck");
    };
    await expect(writeOutputs([[a, "new a"], [b, failing()]])).rejects.toThrow("no luck");
    expect([await text(a), await text(b), await sorted(dir.path)]).toEqual(["old a", "old b", ["a", "b"]]);
  });

  test("keeps the mode of the file it replaces, and a symbolic link", async () => {
    await using dir = await makeTempDir();
    const [file, link] = [join(dir.path, "file"), join(dir.path, "link")];
    await Bun.write(file, "old");
    await chmod(file, 0o640);
    await symlink("file", link);
    await writeOutputs([[link, "new"]]);
    expect({
      text: await text(file),
      mode: (await stat(file)).mode & 0o777,
      isLink: (await lstat(link)).isSymbolicLink(),
    }).toEqual({ text: "new", mode: 0o640, isLink: true });
  });

  test("never replaces a device", async () => {
    await writeOutputs([["/dev/null", "x"], ["/dev/null", "y"]]);
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
  });

  test("a full disk is one clear error", async () => {
    await expect(writeOutputs([["/dev/full", "x"]])).rejects.toThrow(
      'Cannot write "/dev/full": no space left on the disk',
    );
  });

  test("takes a name of 255 bytes", async () => {
    await using dir = await makeTempDir();
    const name = `${"é".repeat(125)}.json`;
    await writeOutputs([[join(dir.path, name), "x"]]);
    expect(await sorted(dir.path)).toEqual([name]);
  });

  test("refuses one file under two names", async () => {
    await using dir = await makeTempDir();
    await Bun.write(join(dir.path, "a"), "");
    await symlink("a", join(dir.path, "b"));
    const [a, b] = [join(dir.path, "a"), join(dir.path, "b")];
    await expect(writeOutputs([[a, "1"], [b, "2"]])).rejects.toThrow(
      new UsageError(`Cannot write two outputs to one file: "${a}" and "${b}"`),
    );
    expect(await sorted(dir.path)).toEqual(["a", "b"]);
  });
});

describe("assertWritable", () => {
  test("makes folders and leaves no trace in them", async () => {
    await using dir = await makeTempDir();
    await assertWritable([join(dir.path, "new/a"), "-", "/dev/null"]);
    expect([await sorted(dir.path), await sorted(join(dir.path, "new"))]).toEqual([["new"], []]);
  });

  test("names what is in the way", async () => {
    await using dir = await makeTempDir();
    await Bun.write(join(dir.path, "file"), "");
    await mkdir(join(dir.path, "folder"));
    const reasons: [string, string][] = [
      ["folder", "it is a folder"],
      ["nothing/", "it is a folder"],
      ["file/a", "a part of the path is not a folder"],
      ["x".repeat(300), "name too long"],
      ["", "it is a folder"],
    ];
    for (const [name, reason] of reasons) {
      const error = await assertWritable([name === "" ? dir.path : join(dir.path, name)]).catch(failure => failure);
      expect({ name, reason: error?.message.split(": ").at(-1) }).toEqual({ name, reason });
    }
    await expect(assertWritable(["/proc/cowrie/a"])).rejects.toThrow('Cannot write "/proc/cowrie/a": ');
  });

  test("refuses one file twice", async () => {
    await using dir = await makeTempDir();
    const path = join(dir.path, "a");
    await expect(assertWritable([path, join(dir.path, "x/../a")])).rejects.toThrow(UsageError);
    await expect(assertWritable(["-", "-"])).rejects.toThrow(UsageError);
  });

  test("removes what dead runs left of this output, and nothing else", async () => {
    await using dir = await makeTempDir();
    const own = partialPathOf(join(dir.path, "a"));
    const [, start, host] = /\.\d+-(\d*)-([0-9a-f]{6})-/.exec(own)!;
    const keep = [
      own,
      join(dir.path, `.b.999999999-1-${host}-00000000.partial`),
      join(dir.path, `.a.b.999999999-1-${host}-00000000.partial`),
      join(dir.path, ".a.999999999-1-ffffff-00000000.partial"),
      join(dir.path, ".a.mine.partial"),
      join(dir.path, "a"),
    ];
    const drop = [
      join(dir.path, `.a.999999999-1-${host}-00000000.partial`),
      // This very pid, but of a process that started at another time.
      join(dir.path, `.a.${process.pid}-${start}1-${host}-00000000.partial`),
      join(dir.path, ".a.1-1-fffffe-00000000.partial"),
    ];
    for (const path of [...keep, ...drop]) await Bun.write(path, "x");
    // Left behind on another machine the day before yesterday.
    await utimes(drop[2]!, 0, Date.now() / 1000 - 48 * 3600);
    await assertWritable([join(dir.path, "a")]);
    expect((await sorted(dir.path)).map(name => join(dir.path, name))).toEqual(keep.sort());
  });
});

test("OutputSet without commit takes everything back", async () => {
  await using dir = await makeTempDir();
  {
    await using outputs = new OutputSet();
    const output = await outputs.open(join(dir.path, "a"));
    await output.write("x");
    expect(await sorted(dir.path)).toEqual([expect.stringMatching(/^\.a\.\d+-\d*-[0-9a-f]{6}-[0-9a-f]{8}\.partial$/)]);
  }
  expect(await sorted(dir.path)).toEqual([]);
});

test("resolveOutput() tells stdout, devices and files apart", async () => {
  await using dir = await makeTempDir();
  const kinds = ["-", "/dev/null", join(dir.path, "a")].map(async path => (await resolveOutput(path)).kind);
  expect(await Promise.all(kinds)).toEqual(["stdout", "stream", "file"]);
});

test("hiddenStem() keeps long names apart", () => {
  const long = "x".repeat(240);
  expect(hiddenStem("/a/b.json")).toBe("/a/.b.json");
  expect(hiddenStem(`/a/${long}1`)).not.toBe(hiddenStem(`/a/${long}2`));
  expect(hiddenStem(`/a/${long}1`).length).toBeLessThan(60);
});

const WRITER = `
  import { EXIT, runMain, writeOut } from "$lib/process/cli.ts";
  import { OutputSet, writeOutputs } from "$lib/process/output-file.ts";
  await runMain("sample", async ([mode, ...paths]) => {
    if (mode === "text") await writeOutputs(paths.map(path => [path, "new\\n"]));
    if (mode === "big") await writeOutputs(paths.map(path => [path, new Uint8Array(2_000_000)]));
    if (mode === "wait") {
      await using outputs = new OutputSet();
      for (const path of paths) await (await outputs.open(path)).write("half");
      await writeOut("ready\\n");
      await Bun.sleep(60_000);
    }
    return EXIT.ok;
  });`;

const mount = missing("mount");
const nobody = missing("nobody");

describe("as a process", () => {
  test("a file that may grow no further leaves the old one whole", async () => {
    await using dir = await makeTempDir();
    const command = (await writeSource(dir.path, WRITER)).join(" ");
    await Bun.write(join(dir.path, "out"), "old");
    // In blocks of 1 KiB; the signal the limit sends is one Bun ignores.
    const result = await run(shell(`ulimit -f 1000; ${command} big out`), { cwd: dir.path });
    expect({ stderr: result.stderr, exitCode: result.exitCode, files: await sorted(dir.path) }).toEqual({
      stderr: 'sample: Cannot write "out": file too large\n', exitCode: 1, files: ["out", "program.ts"],
    });
    expect(await text(join(dir.path, "out"))).toBe("old");
  });

  test.skipIf(mount.reason !== undefined)(`a full file system leaves the old file whole${mount.why}`, async () => {
    await using dir = await makeTempDir();
    const command = (await writeSource(dir.path, WRITER)).join(" ");
    const line = `mkdir disk; mount -t tmpfs -o size=1m none disk; echo old > disk/out;
      ${command} big disk/new disk/out; code=$?; ls -A disk; cat disk/out; umount disk; exit $code`;
    const { stdout, stderr, exitCode } = await run(shell(line), { cwd: dir.path });
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: "out\nold\n", stderr: 'sample: Cannot write "disk/new": no space left on the disk\n', exitCode: 1,
    });
  });

  test.skipIf(nobody.reason !== undefined)(`closed folders and protected files are named${nobody.why}`, async () => {
    await using dir = await makeTempDir();
    const command = (await writeSource(dir.path, WRITER)).join(" ");
    const line = `chmod 755 .; mkdir closed open; chmod 777 open; echo old > open/protected; chmod 444 open/protected;
      chmod 555 closed;
      for path in closed/new open/protected; do ${AS_NOBODY} ${command} text $path; done`;
    const { stdout, stderr, exitCode } = await run(shell(line), { cwd: dir.path, env: { HOME: "/nonexistent" } });
    expect({ stdout, stderr, exitCode, files: await sorted(join(dir.path, "open")) }).toEqual({
      stdout: "",
      stderr: 'sample: Cannot write "closed/new": permission denied\n' +
        'sample: Cannot write "open/protected": permission denied\n',
      exitCode: 1,
      files: ["protected"],
    });
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s leaves no partial file", async signal => {
    await using dir = await makeTempDir();
    const command = await writeSource(dir.path, WRITER);
    const child = Bun.spawn([...command, "wait", "a", "b"], { cwd: dir.path, stdout: "pipe", stderr: "inherit" });
    await child.stdout.getReader().read();
    child.kill(signal);
    await child.exited;
    expect({ signal: child.signalCode, files: await sorted(dir.path) }).toEqual({
      signal, files: ["program.ts"],
    });
  });

  test("kill -9 leaves the old file whole, and the next run clears up", async () => {
    await using dir = await makeTempDir();
    const command = await writeSource(dir.path, WRITER);
    await Bun.write(join(dir.path, "a"), "old");
    const child = Bun.spawn([...command, "wait", "a"], { cwd: dir.path, stdout: "pipe", stderr: "inherit" });
    await child.stdout.getReader().read();
    child.kill("SIGKILL");
    await child.exited;
    expect([await text(join(dir.path, "a")), (await sorted(dir.path)).length]).toEqual(["old", 3]);
    await run([...command, "text", "a"], { cwd: dir.path });
    expect([await text(join(dir.path, "a")), await sorted(dir.path)]).toEqual(["new\n", ["a", "program.ts"]]);
  });

  test("/dev/stdout, process substitution and - reach their pipe", async () => {
    await using dir = await makeTempDir();
    const command = (await writeSource(dir.path, WRITER)).join(" ");
    const line = `${command} text /dev/stdout | cat; ${command} text >(cat > sub; echo >> sub); ${command} text - a;
      until [ -s sub ]; do sleep 0.01; done; cat sub a; ls -A`;
    const { stdout, stderr, exitCode } = await run(shell(line), { cwd: dir.path });
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: "new\nnew\nnew\n\nnew\na\nprogram.ts\nsub\n", stderr: "", exitCode: 0,
    });
  });
});
