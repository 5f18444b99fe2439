import { expect, test } from "bun:test";
import { closeSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openInput, openRegular, openRegularHandle, readSmallText } from "../../../lib/columns/regular-file.ts";
import { isArrowFile } from "../../../lib/columns/first-bytes.ts";
import { openIpc } from "../../../lib/columns/arrow-ipc.ts";
import { openText } from "../../../lib/events/log-text.ts";
import { readReduced } from "../../../lib/reduced/reduced-input.ts";
import { readSensorAliases } from "../../../lib/events/sensor-aliases.ts";
import { makeTempDir, run, runScript } from "../../support/run.ts";

test("a named pipe is refused at once by all that open files", async () => {
  await using dir = await makeTempDir();
  const pipe = join(dir.path, "pipe");
  expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
  const why = "it is a named pipe, expected a regular file";
  for (const open of [openRegular, openInput, readSmallText, isArrowFile, openText]) {
    expect(() => open(pipe)).toThrow(why);
  }
  for (const read of [openRegularHandle, openIpc, readSensorAliases]) await expect(read(pipe)).rejects.toThrow(why);
  await expect(readReduced(pipe, () => {})).rejects.toThrow(`Cannot read "${pipe}": ${why}`);
});

test("a link is followed unless the file is to be our own", async () => {
  await using dir = await makeTempDir();
  const [file, link] = [join(dir.path, "file"), join(dir.path, "link")];
  writeFileSync(file, "text");
  symlinkSync(file, link);
  closeSync(openRegular(link));
  expect(readSmallText(link)).toBe("text");
  expect(() => openRegular(link, { followsLinks: false })).toThrow("it is a symbolic link, expected a regular file");
  expect(() => openRegular(dir.path)).toThrow("it is a folder, expected a regular file");
  expect(() => openRegular(join(dir.path, "none"))).toThrow(expect.objectContaining({ code: "ENOENT" }));
});

test("a handle is given only while the file is what it was", async () => {
  await using dir = await makeTempDir();
  const file = join(dir.path, "file");
  writeFileSync(file, "text");
  const { handle, state } = await openRegularHandle(file);
  await handle.close();
  await (await openRegularHandle(file, state)).handle.close();
  writeFileSync(file, "more text");
  await expect(openRegularHandle(file, state)).rejects.toThrow(`Cannot use "${file}": it was changed or replaced`);
});

test("what a shell substitutes for a command is read like standard input, and leaves nothing behind", async () => {
  await using dir = await makeTempDir();
  const line = '{"eventid":"cowrie.session.connect","timestamp":"2024-01-31T10:00:00Z","sensor":"a","session":"s"}';
  await Bun.write(join(dir.path, "log"), `${line}\n`);
  const script = join(import.meta.dir, "../../../scripts/summary.ts");
  const shell = await run(["bash", "-c", `"${process.execPath}" "${script}" -q --json <(cat log)`], { cwd: dir.path });
  expect({ stderr: shell.stderr, events: JSON.parse(shell.stdout || "{}").events }).toEqual({ stderr: "", events: 1 });
  const named = await runScript("summary", ["-q", "--json", join(dir.path, "log")]);
  expect(shell.stdout).toBe(named.stdout);
});
