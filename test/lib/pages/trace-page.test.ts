import { describe, expect, test } from "bun:test";
import { findSessions } from "../../../lib/sessions/event-search.ts";
import { buildStories } from "../../../lib/sessions/story.ts";
import { renderTrace, SESSIONS_SHOWN } from "../../../lib/pages/trace-page.ts";
import { type LogEvent, readEvents } from "../../support/event-logs.ts";
import { HOSTILE_TEXTS } from "../../hostile/texts.ts";

const SEARCHED = { logs: 1, days: 1, firstUs: 0, lastUs: 1 };

async function stories(events: LogEvent[]) {
  using set = await readEvents(events);
  return buildStories(await findSessions(set, ["s1"]));
}

describe("renderTrace", () => {
  test("shows a session as lanes and as a log, without a script", async () => {
    const found = await stories([
      { eventid: "session.connect", at: 0, protocol: "telnet" },
      { eventid: "login.success", at: 1, username: "root", password: "<b>" },
      { eventid: "command.input", at: 2, input: "wget http://x/" },
      { eventid: "session.file_download", at: 3, url: "http://x/", outfile: "o", shasum: "ab" },
      { eventid: "virustotal.scanfile", at: 4, sha256: "ab", positives: 9, total: 70 },
    ]);
    const page = renderTrace({ kind: "session", name: "s1" }, found, SEARCHED);
    expect(page).not.toContain("<script");
    expect(page).toContain("script-src &#39;none&#39;");
    expect(page).toContain("1 session on 1 sensor, found in 1 log of 1 day");
    expect(page).toContain(
      '<li class="k-login t-strong"><span class="at" title="2024-03-01 12:00:01 UTC">0:01.000</span>',
    );
    expect(page).toContain("<code>&lt;b&gt;</code>");
    expect(page).toContain("VirusTotal 9/70");
    expect(page).toContain('class="mark-at m-alarm"');
    expect(page).toContain('<span class="tag p-download">download</span>');
  });

  test.each([
    [4, ["0 s", "0.5 s", "1 s"]],
    [600, ["0 s", "2 min", "4 min"]],
    [9000, ["0 s", "30 min", "1 h"]],
    [2e5, ["0 s", "12 h", "1 d"]],
  ])("a session of %d s has a scale of round times", async (seconds, ticks) => {
    const found = await stories([{ eventid: "session.connect", at: 0 }, { eventid: "session.closed", at: seconds }]);
    const page = renderTrace({ kind: "session", name: "s1" }, found, SEARCHED);
    expect([...page.matchAll(/<text class="tick[^>]*>([^<]*)</g)].map(([, text]) => text!).slice(0, 3)).toEqual(ticks);
  });

  test("says how many sessions it leaves out", async () => {
    const found = await stories([{ eventid: "session.connect", at: 0 }]);
    const step = found[0]!.steps[0]!;
    const many = Array.from({ length: SESSIONS_SHOWN + 1 }, (_, repeats) => ({
      ...found[0]!,
      steps: [{ ...step, kind: "command" as const, repeats }],
    }));
    const page = renderTrace({ kind: "address", name: "192.0.2.1" }, many, SEARCHED);
    expect(page).toContain("First 500 of 501 distinct sessions");
    expect(page.match(/<article/g)).toHaveLength(SESSIONS_SHOWN);
    expect(page).toContain("First 60 of 501 distinct sessions");
    const few = renderTrace({ kind: "address", name: "192.0.2.1" }, many, SEARCHED, { limit: 3 });
    expect(few.match(/<article/g)).toHaveLength(3);
    expect(few).toContain("First 3 of 501 distinct sessions");
  });

  test("equal sessions are one lane and one article, with their number", async () => {
    const found = await stories([{ eventid: "session.connect", at: 0 }, { eventid: "client.version", at: 1, version: "<i>" }]);
    const many = Array.from({ length: 835 }, () => found[0]!);
    const page = renderTrace({ kind: "address", name: "192.0.2.1" }, many, SEARCHED);
    expect(page.match(/<article/g)).toHaveLength(1);
    expect(page.match(/class="lane"/g)).toHaveLength(1);
    expect(page).toContain("<h3>835 equal sessions on a, ");
    expect(page).toContain(">835 × since 03-01 12:00:00<");
    expect(page).toContain("835 sessions on 1 sensor");
  });

  test("hostile text is text in every place", async () => {
    const found = await stories(
      HOSTILE_TEXTS.flatMap((text, i): LogEvent[] => [
        { eventid: "session.connect", at: i, src_ip: text, sensor: text.slice(0, 60), protocol: text },
        { eventid: "client.version", at: i, version: text, sensor: text.slice(0, 60) },
        { eventid: "login.success", at: i, username: text, password: text, sensor: text.slice(0, 60) },
        { eventid: "command.input", at: i, input: text, sensor: text.slice(0, 60) },
        { eventid: "session.file_upload", at: i, filename: text, shasum: text, sensor: text.slice(0, 60) },
        { eventid: `odd.${text}`, at: i, [text]: text, sensor: text.slice(0, 60) },
      ]),
    );
    for (const kind of ["session", "address"] as const) {
      const page = renderTrace({ kind, name: HOSTILE_TEXTS[0]! }, found, SEARCHED);
      expect(page).toContain("&lt;script");
      expect(page).not.toMatch(/<(script|img|iframe|svg o|svg\/|!--|!\[)/);
      expect(page).not.toMatch(/ (on\w+|href|src)="(?!#(?:main|lane-\d+)")/);
      expect(page).not.toMatch(/[^\n\P{C}]/u);
    }
  });
});
