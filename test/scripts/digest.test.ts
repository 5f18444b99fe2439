import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LINES_MOST } from "../../lib/digest/digest-words.ts";
import { joinFleet } from "../support/copy-fleet.ts";
import { toLine } from "../support/event-logs.ts";
import { missing } from "../support/needs.ts";
import { run, runScript } from "../support/run.ts";
import { waitUntil } from "../support/wait-until.ts";

let folder: string;
let fleet: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cowrie-digest-"));
  fleet = await joinFleet(join(folder, "fleet"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const digest = (args: readonly string[], env: Record<string, string> = {}) => runScript("digest", [fleet, "--mapped-dir", join(folder, "tables"), "-q", ...args], { env });

/** A sendmail that keeps its message and its arguments. */
function makeSendmail(name: string, code = 0): { env: Record<string, string>; message: () => string; words: () => string } {
  const bin = mkdtempSync(join(folder, `${name}-`));
  writeFileSync(join(bin, "sendmail"), `#!/bin/sh\necho "$@" > '${bin}/words'\ncat > '${bin}/message'\n[ ${code} = 0 ] || { echo "no such user \x1b[31m" >&2; exit ${code}; }\n`);
  chmodSync(join(bin, "sendmail"), 0o755);
  return {
    env: { PATH: `${bin}:${Bun.env.PATH}` },
    message: () => readFileSync(join(bin, "message"), "utf8"),
    words: () => readFileSync(join(bin, "words"), "utf8"),
  };
}

describe("digest", () => {
  test("a week in 60 lines, its figures as an obvious count finds them", async () => {
    const week = ["--since", "2026-07-27", "--until", "2026-08-02"];
    const [text, json, summary, before] = await Promise.all([
      digest(week),
      digest([...week, "--json"]),
      runScript("summary", [fleet, "--mapped-dir", join(folder, "tables"), ...week, "--json", "-q"]),
      runScript("summary", [fleet, "--mapped-dir", join(folder, "tables"), "--since", "2026-07-20", "--until", "2026-07-26", "--json", "-q"]),
    ]);
    expect({ stderr: text.stderr, exitCode: text.exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(text.stdout.split("\n").length - 1).toBeLessThanOrEqual(LINES_MOST);
    expect(text.stdout).toStartWith("Cowrie, Mon 27 Jul 2026 to Sun 2 Aug 2026 (7 days, UTC)\n");
    for (const title of ["Sensors", "Look first at", "What changed", "What happened", "Credentials tried most"]) expect(text.stdout).toContain(`\n${title}`);
    const found = JSON.parse(json.stdout);
    const [now, then] = [summary, before].map(({ stdout }) => JSON.parse(stdout));
    expect(found.figures.events).toEqual({ now: now.events, before: then.events });
    expect(found.figures.logins).toEqual({ now: now.logins.count, before: then.logins.count });
    expect(found.figures.accepted).toEqual({ now: now.logins.succeeded.count, before: then.logins.succeeded.count });
    expect(found.figures.commands.now).toBe(now.commands.count);
    expect(found.credentials[0].count).toBeGreaterThan(0);
    expect([found.first_day, found.last_day]).toEqual(["2026-07-27", "2026-08-02"]);
    // The campaign that the example plants begins in this week.
    expect(text.stdout).toContain("Kestrel#2026");
  });

  test("what happened is told in the words of the report's first screen", async () => {
    const page = join(folder, "page.html");
    const [{ stdout }, made] = await Promise.all([
      digest(["--since", "2026-07-06", "--json"]),
      runScript("analyze-local", [fleet, "--mapped-dir", join(folder, "page-tables"), "-f", join(folder, "page.json"), "-o", page, "-q"]),
    ]);
    expect({ stderr: made.stderr, exitCode: made.exitCode }).toEqual({ stderr: "", exitCode: 0 });
    const sentences = (JSON.parse(stdout).episodes as { sentence: string }[]).map(({ sentence }) => sentence.replaceAll("`", ""));
    const told = [...readFileSync(page, "utf8").matchAll(/<span class="sentence">(.*?)<\/span><span class="beside">/gs)]
      .map(([, text]) => text!.replace(/<[^>]*>/g, "").replace(/&(lt|gt|amp|#39|quot);/g, (_, name) => ({ lt: "<", gt: ">", amp: "&", "#39": "'", quot: '"' })[name as string]!))
      .filter(text => !text.includes("seen for the first time") && !text.includes("expected") && !text.includes("one campaign"));
    expect(told.length).toBeGreaterThanOrEqual(3);
    expect(told.filter(text => !sentences.includes(text))).toEqual([]);
    expect(told.some(text => text.includes("it made 900 of 928 logins (97.0 %)"))).toBe(true);
  });

  test("the commands it names are such that run", async () => {
    const { stdout } = await digest(["--json"]);
    const { look_first: looks } = JSON.parse(stdout) as { look_first: { command: string }[] };
    expect(looks.length).toBe(3);
    for (const { command } of looks) {
      const { exitCode, stdout: said } = await run(["bash", "-c", `set -o pipefail; ${command} --mapped-dir '${join(folder, "tables")}'`.replace(/(\| .*) (--mapped-dir .*)$/, "$1")]);
      expect({ command, exitCode, isEmpty: said === "" }).toEqual({ command, exitCode: 0, isEmpty: false });
    }
  });

  test("a sensor that is heard no more is said first, and told by the exit code", async () => {
    const log = join(folder, "silent.json");
    const events = Array.from({ length: 9 * 24 }, (_, hour) => [
      toLine({ eventid: "login.failed", at: hour * 3600, sensor: "a", session: `a${hour}`, username: "root", password: "x" }),
      ...(hour < 24 ? [toLine({ eventid: "login.failed", at: hour * 3600, sensor: "b\x1b[2J", session: `b${hour}`, username: "=cmd", password: "y" })] : []),
    ]).flat();
    writeFileSync(log, `${events.join("\n")}\n`);
    const { stdout, exitCode } = await runScript("digest", [log, "-q", "--exit-code", "--mapped-dir", join(folder, "t2")]);
    expect(exitCode).toBe(11);
    expect(stdout).toMatch(/(SILENT|NO EVENT of) b\\x1b\[2J/);
    expect(stdout).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f]/);
  });

  test("a page for mail programs: no script, nothing fetched, what attackers wrote is text", async () => {
    const log = join(folder, "hostile.json");
    writeFileSync(log, `${toLine({ eventid: "login.failed", at: 0, username: "<img src=x onerror=alert(1)>", password: "</title><script>" })}\n`);
    const { stdout } = await runScript("digest", [log, "--html", "-q", "--mapped-dir", join(folder, "t3")]);
    expect(stdout).toStartWith("<!doctype html>");
    expect(stdout).toContain("&lt;img src=x onerror=alert(1)&gt; / &lt;/title&gt;&lt;script&gt;");
    expect(stdout).not.toMatch(/<(script|img|link|iframe)|https?:/);
  });

  test("wrong use is told", async () => {
    expect(await digest(["--html", "--json"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("expected one of them") });
    expect(await digest(["--to", "a@b\nBcc: c@d"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("expected an address") });
    expect(await digest(["--until", "2001-01-01"])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("Cannot find an event") });
  });
});

describe("mail", () => {
  test("goes to sendmail whole, with both parts", async () => {
    const sendmail = makeSendmail("good");
    const { stdout, stderr, exitCode } = await digest(["--to", "ops@example.org", "--html"], sendmail.env);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: "", stderr: "", exitCode: 0 });
    expect(sendmail.words()).toBe("-t -oi\n");
    const message = sendmail.message();
    expect(message).toStartWith("To: ops@example.org\nSubject: ");
    expect(message.match(/^Content-Type: .*/gm)).toEqual([
      expect.stringContaining("multipart/alternative"),
      "Content-Type: text/plain; charset=utf-8",
      "Content-Type: text/html; charset=utf-8",
    ]);
    const text = Buffer.from(message.split("\n\n")[2]!.split("\n--")[0]!, "base64").toString();
    expect(text).toStartWith("Cowrie, ");
  });

  test("that is refused is a failure, said in one line", async () => {
    const { stderr, exitCode } = await digest(["--to", "nobody"], makeSendmail("bad", 67).env);
    expect({ stderr, exitCode }).toEqual({ stderr: "digest: Cannot send the mail: sendmail ended with 67: no such user \\x1b[31m\n", exitCode: 1 });
  });

  const { reason, why } = missing("dma");
  test.skipIf(reason !== undefined)(`is delivered by a real sendmail${why}`, async () => {
    const mailbox = "/var/mail/root";
    const before = existsSync(mailbox) ? readFileSync(mailbox) : undefined;
    const { stderr, exitCode } = await digest(["--to", "root", "--html"]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    await waitUntil("the mail is delivered", () => existsSync(mailbox) && readFileSync(mailbox).length > (before?.length ?? 0));
    const mail = readFileSync(mailbox, "utf8").slice(before?.length ?? 0);
    expect(mail).toMatch(/^Subject: (.*\n )*/m);
    expect(mail).toContain("multipart/alternative");
    if (before === undefined) rmSync(mailbox);
    else writeFileSync(mailbox, before);
  });
});
