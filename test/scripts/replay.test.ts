import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drawScreen, paintRow } from "../../lib/recordings/terminal-player.ts";
import { parseRecording } from "../../lib/recordings/recording.ts";
import { toPlayback } from "../../lib/recordings/playback.ts";
import { toLine } from "../support/event-logs.ts";
import { missing } from "../support/needs.ts";
import { EXAMPLE_RECORDING, exampleRecording, Recorder, RECORDINGS } from "../support/recordings.ts";
import { ROOT, runScript } from "../support/run.ts";

const HASH = "ab".repeat(32);

let folder: string;
let tty: string;
let log: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cowrie-replay-"));
  tty = join(folder, "tty");
  mkdirSync(tty);
  copyFileSync(join(RECORDINGS, EXAMPLE_RECORDING), join(tty, HASH));
  writeFileSync(
    join(tty, "second"),
    new Recorder(0).write("command", "id; cat x").write("output", "\x1b[2J\x1b]0;t\x07<b>uid=0\nmore\u202e", 40).finish(false),
  );
  log = join(folder, "cowrie.json");
  const lines = [
    { eventid: "session.connect", at: 0, session: "aa01" },
    { eventid: "client.size", at: 1, session: "aa01", width: 100, height: 30 },
    { eventid: "log.closed", at: 2, session: "aa01", ttylog: `var/lib/cowrie/tty/${HASH}`, duplicate: true },
    { eventid: "log.closed", at: 3, session: "aa01", ttylog: "../../tty/second" },
    { eventid: "log.closed", at: 4, session: "aa01", ttylog: "tty/gone" },
    { eventid: "session.connect", at: 5, session: "bb02" },
    { eventid: "log.closed", at: 6, session: "bb02", ttylog: "/etc/passwd" },
  ];
  writeFileSync(log, lines.map(line => `${toLine(line)}\n`).join(""));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("replay", () => {
  test("a recording by its file, on a pipe as text", async () => {
    const { stdout, stderr, exitCode } = await runScript("replay", [join(tty, HASH)]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout).toContain("root@svr04:~# uptime # before midnight\n");
    expect(stdout).toContain("cache  run.sh  notes.txt\n");
    expect(stdout).toContain("Typed:\n  0:03.324  uptime # before midnight\n");
    expect(stdout).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f]/);
  });

  test("a session's recordings with the size of its terminal, and what is missing or of another", async () => {
    const { stdout, stderr, exitCode } = await runScript("replay", ["aa01", log, "--tty", tty, "--json", "-q"]);
    expect(exitCode).toBe(0);
    const found = stdout.trimEnd().split("\n").map(line => JSON.parse(line));
    expect(found.map(({ recording, columns, rows, exec, cut }) => ({ recording, columns, rows, exec, cut }))).toEqual([
      { recording: join(tty, HASH), columns: 100, rows: 30, exec: false, cut: null },
      { recording: join(tty, "second"), columns: 100, rows: 30, exec: true, cut: "it has no close record" },
    ]);
    expect(found[1].typed).toEqual([{ offset_sec: 0, text: "id; cat x" }]);
    expect(found[1].shown).toEqual(["<b>uid=0", "more\\u{202e}"]);
    expect(stderr).toContain("was kept of an earlier session");
    expect(stderr).toContain('Recording "tty/gone" of session aa01 is not in');
    expect(stderr).toContain("replay: second is shown as far as it goes: it has no close record");
  });

  test("an asciicast of one of them", async () => {
    const cast = join(folder, "session.cast");
    const many = await runScript("replay", ["aa01", log, "--tty", tty, "-o", cast, "-q"]);
    expect(many).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("expected --number (1 session aa01") });
    const one = await runScript("replay", ["aa01", log, "--tty", tty, "-o", cast, "--cast", "3", "--number", "1", "-q"]);
    expect(one.exitCode).toBe(0);
    const [header, first] = readFileSync(cast, "utf8").split("\n").map(line => (line === "" ? undefined : JSON.parse(line)));
    expect(header).toMatchObject({ version: 3, term: { cols: 100, rows: 30 } });
    expect(first).toEqual([0.05, "o", "\x1b[4hroot@svr04:~# "]);
  });

  test("what cannot be found or read is one line, never a file elsewhere", async () => {
    const cases = [
      [["nowhere"], 1, 'Cannot find the recording "nowhere": no such file; expected --tty FOLDER'],
      [["abab", "--tty", tty], 1, "expected its name, the beginning of just one, or a session"],
      [["bb02", log, "--tty", tty, "-q"], 1, 'Recording "/etc/passwd" of session bb02 is not in'],
      [["cc03", log, "--tty", tty, "-q"], 1, 'Cannot find session "cc03" in the logs'],
      [["a", log, "--tty", tty, "-q"], 1, 'did you mean "aa01"?'],
      [[log], 1, "it does not begin with a record of Cowrie's ttylog"],
      [[join(tty, HASH), "--size", "5x5"], 2, "expected WxH from 20x4 to 400x120"],
      [[join(tty, HASH), "--spede", "2"], 2, "--speed"],
      [[], 2, "RECORDING|SESSION"],
    ] as const;
    const runs = await Promise.all(cases.map(([args]) => runScript("replay", args)));
    for (const [i, { exitCode, stderr, stdout }] of runs.entries()) {
      expect({ exitCode, stdout }).toEqual({ exitCode: cases[i]![1], stdout: "" });
      expect(stderr).toContain(cases[i]![2]);
    }
  });

  test("trace-sid adds what the terminal showed, as text and as JSON", async () => {
    const [text, json] = await Promise.all([
      runScript("trace-sid", [log, "-sid", "aa01", "--tty", tty, "-q"]),
      runScript("trace-sid", [log, "-sid", "aa01", "--tty", tty, "-q", "--json"]),
    ]);
    expect(text.stdout).toContain("  | cache  run.sh  notes.txt\n");
    expect(text.stdout).toContain("  As far as it goes: it has no close record\n  | <b>uid=0\n");
    expect(text.stdout).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f]/);
    const [{ recordings }] = JSON.parse(json.stdout).sessions;
    expect(recordings).toMatchObject([{ ttylog: `var/lib/cowrie/tty/${HASH}`, duplicate: true }, { ttylog: "../../tty/second", duplicate: false }]);
  });
});

describe("the player on a terminal", () => {
  const window = { columns: 60, rows: 10 };

  test("paints cells with sequences of its own, within the window", async () => {
    const output = `\x1b]0;owned\x07\x1b[31mred\x1b[0m ${"x".repeat(200)}\r\n密码密码\x1b[5n\x1b[?1000h`;
    const playback = await toPlayback(parseRecording(new Recorder(0).write("output", output).finish()), { columns: 100, rows: 30 });
    const text = drawScreen(playback, { us: 0, speed: 1, isPaused: false }, "session s", window);
    // Home, erase to the end of the line, and colours: nothing else.
    const rest = text.replace(/\x1b\[(?:H|K|[\d;]*m)/g, "");
    expect(rest).not.toMatch(/[\0-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]/);
    expect(text).toContain("\x1b[31mred\x1b[0m");
    const lines = rest.split("\r\n");
    expect(lines).toHaveLength(window.rows);
    for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(window.columns);
  });

  test("a row is cut between letters of two columns", () => {
    expect(paintRow([{ text: "密码密", style: 0 }], 5)).toBe("密码");
  });

  const { reason, why } = missing("script");
  test.skipIf(reason !== undefined)(`plays on a terminal and leaves it as it was${why}`, async () => {
    const script = join(ROOT, "scripts", "replay.ts");
    const child = Bun.spawn(["script", "-qec", `'${process.execPath}' '${script}' '${join(tty, HASH)}' --speed 64`, "/dev/null"], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    let text = "";
    let isLeft = false;
    for await (const chunk of child.stdout) {
      text += new TextDecoder().decode(chunk);
      if (isLeft || !text.includes("paused")) continue;
      isLeft = true;
      child.stdin.write("q");
      child.stdin.flush();
    }
    expect(await child.exited).toBe(0);
    expect(text).toStartWith("\x1b[?1049h\x1b[?25l");
    expect(text).toContain("still logged in");
    expect(text.trimEnd()).toEndWith("\x1b[?25h\x1b[?1049l");
  });
});

test("the example recording is whole", () => {
  expect(parseRecording(exampleRecording()).cut).toBeUndefined();
});
