import { describe, expect, test } from "bun:test";
import { addressMatcher } from "../../../lib/text/address.ts";
import { findSessions } from "../../../lib/sessions/event-search.ts";
import { buildStories, reachOf, pickStories, type Story, storyToJson } from "../../../lib/sessions/story.ts";
import { type LogEvent, NOON_MS, readEvents } from "../../support/event-logs.ts";

const HASH = "cd".repeat(32);

async function trace(...logs: LogEvent[][]): Promise<Story[]> {
  using set = await readEvents(...logs);
  return buildStories(await findSessions(set, ["s1"]));
}

/** Steps as `offset what: parts`. */
const lines = (story: Story) =>
  story.steps.map(
    ({ us, what, parts, repeats }) =>
      `${(us - story.startUs) / 1e6} ${what}: ${parts.map(({ text }) => text).join(" ")}${repeats > 1 ? ` x${repeats}` : ""}`,
  );

const connect = { eventid: "session.connect", at: 0, src_port: 4000, dst_ip: "10.0.0.1", dst_port: 2222 };

describe("a story", () => {
  test("tells what happened, in order of time", async () => {
    const [story, ...more] = await trace([
      { ...connect, protocol: "ssh" },
      { eventid: "login.success", at: 3, username: "root", password: "toor" },
      { eventid: "login.failed", at: 2, username: "root", password: "" },
      { eventid: "client.version", at: 1, version: "SSH-2.0-Go" },
      { eventid: "client.kex", at: 1, hassh: "f".repeat(32) },
      { eventid: "client.size", at: 3.5, width: 80, height: 24 },
      { eventid: "client.var", at: 3.6, name: "LANG", value: "C" },
      { eventid: "session.params", at: 3.7, arch: "linux-x64-lsb", message: [] },
      { eventid: "command.input", at: 4, input: "uname -a" },
      { eventid: "command.input", at: 5, input: "wat; id" },
      { eventid: "command.failed", at: 5, input: "wat " },
      { eventid: "session.file_download", at: 6, url: "http://x/y", outfile: "o", shasum: HASH },
      { eventid: "session.file_upload", at: 7, filename: "k.sh", outfile: "o", shasum: HASH },
      { eventid: "session.file_download.failed", at: 7.5, url: "http://x/z" },
      { eventid: "direct-tcpip.request", at: 8, dst_ip: "example.org", dst_port: 25 },
      { eventid: "direct-tcpip.data", at: 8.1, dst_ip: "example.org", dst_port: 25, data: "b'EHLO'" },
      { eventid: "log.closed", at: 9, ttylog: "var/tty/x", size: 120, duration: 5 },
      { eventid: "session.closed", at: 10, duration: "10.0" },
      { eventid: "virustotal.scanfile", at: 11, sha256: HASH, positives: 5, total: 60 },
    ]);
    expect(more).toEqual([]);
    expect(lines(story!)).toEqual([
      "0 connect: 192.0.2.1:4000 to 10.0.0.1:2222 (ssh)",
      "1 client: SSH-2.0-Go",
      `1 HASSH: ${"f".repeat(32)}`,
      "2 login refused: root / ",
      "3 login accepted: root / toor",
      "3.5 terminal: 80 x 24",
      "3.6 variable: LANG = C",
      "3.7 shell opened: linux-x64-lsb",
      "4 command: uname -a",
      "5 command: wat; id",
      "5 not found: wat",
      `6 download: http://x/y VirusTotal 5/60 sha256 ${HASH}`,
      `7 upload: k.sh VirusTotal 5/60 sha256 ${HASH}`,
      "7.5 download failed: http://x/z",
      "8 forward asked: to example.org:25",
      "8.1 forward data: to example.org:25 b'EHLO'",
      "9 recording: var/tty/x 120 B after 5.00 s",
      "10 closed: after 10.0 s",
      `11 VirusTotal: ${HASH} VirusTotal 5/60`,
    ]);
    expect(story).toMatchObject({
      sensor: "a",
      session: "s1",
      address: "192.0.2.1",
      port: 4000,
      protocol: "ssh",
      isProtocolDerived: false,
      durationSec: 10,
      isDurationDerived: false,
      hasStart: true,
      hasEnd: true,
      versions: ["SSH-2.0-Go"],
      commands: ["uname -a", "wat; id"],
      forwards: 1,
      events: 19,
    });
    expect(story!.logins).toEqual([
      { username: "root", password: "", isLetIn: false },
      { username: "root", password: "toor", isLetIn: true },
    ]);
    expect(story!.files.map(({ name, isUpload, verdict }) => [name, isUpload, verdict?.positives])).toEqual([
      ["http://x/y", false, 5],
      ["k.sh", true, 5],
    ]);
    expect(reachOf(story!)).toBe("file");
  });

  test("derives protocol and duration where the log does not tell them", async () => {
    const [ssh] = await trace([
      connect,
      { eventid: "client.version", at: 1, version: "x" },
      { eventid: "session.closed", at: 7.25 },
    ]);
    expect(ssh).toMatchObject({ protocol: "ssh", isProtocolDerived: true, durationSec: 7.25, isDurationDerived: true });
    const [telnet] = await trace([{ ...connect, dst_port: 23 }]);
    expect(telnet).toMatchObject({ protocol: "telnet", isProtocolDerived: true, hasEnd: false, durationSec: 0 });
    const [unknown] = await trace([{ eventid: "command.input", at: 3, input: "id" }]);
    expect(unknown).toMatchObject({ protocol: undefined, hasStart: false, hasEnd: false });
  });

  test("says how far a session went", async () => {
    const reach = async (...events: LogEvent[]) => reachOf((await trace([connect, ...events]))[0]!);
    const refused: LogEvent = { eventid: "login.failed", at: 1, username: "a", password: "1" };
    expect(await reach()).toBe("connect");
    expect(await reach(refused)).toBe("refused");
    expect(await reach(refused, { ...refused, eventid: "login.success", at: 2 })).toBe("letin");
    expect(await reach({ eventid: "command.input", at: 1, input: "id" })).toBe("command");
    expect(await reach({ eventid: "session.file_upload", at: 1, filename: "f", shasum: HASH })).toBe("file");
  });

  test("the protocol comes from what was said, and only then from the port", async () => {
    const protocol = async (...events: LogEvent[]) => (await trace(events))[0]!.protocol;
    expect(await protocol({ ...connect, dst_port: 22 })).toBe("ssh");
    expect(await protocol({ ...connect, dst_port: 2222 })).toBe("ssh");
    expect(await protocol({ ...connect, dst_port: 2323 })).toBe("telnet");
    expect(await protocol({ ...connect, dst_port: 2223 })).toBe("telnet");
    expect(await protocol({ ...connect, dst_port: 80 })).toBeUndefined();
    expect(await protocol({ ...connect, dst_port: 23 }, { eventid: "direct-tcpip.request", at: 1 })).toBe("ssh");
    expect(await protocol({ ...connect, dst_port: 22 }, { eventid: "telnet.option", at: 1 })).toBe("telnet");
    expect(await protocol({ ...connect, protocol: "telnet" }, { eventid: "client.kex", at: 1 })).toBe("telnet");
  });

  test("downloads a second apart are two, and so are those of two addresses", async () => {
    const file = { eventid: "session.file_download", outfile: "o", shasum: HASH };
    const names = async (...files: LogEvent[]) => (await trace(files))[0]!.files.map(({ name }) => name);
    expect(await names({ ...file, at: 1, url: "http://x/" }, { ...file, at: 2, url: "http://x/" })).toHaveLength(2);
    expect(await names({ ...file, at: 1, url: "http://x/" }, { ...file, at: 1.5, url: "http://y/" })).toHaveLength(2);
    expect(await names({ ...file, at: 1, url: "http://x/" }, { ...file, at: 1.999, url: "http://x/" })).toHaveLength(1);
  });

  test("a recording that was closed was opened: said once", async () => {
    const log = (eventid: string, at: number, ttylog: string): LogEvent => ({ eventid, at, ttylog });
    const [story] = await trace([log("log.open", 1, "x"), log("log.open", 2, "y"), log("log.closed", 3, "x")]);
    expect(lines(story!)).toEqual(["1 recording: y", "2 recording: x"]);
  });

  test("begins and ends with connect and close, whatever is logged around them", async () => {
    const [story] = await trace([
      { eventid: "login.failed", at: -1, username: "a", password: "1" },
      { ...connect, src_ip: "198.51.100.9" },
      { eventid: "session.closed", at: 5 },
      { eventid: "log.closed", at: 6, ttylog: "x" },
    ]);
    expect([story!.durationSec, story!.address, (story!.endUs - story!.startUs) / 1e6]).toEqual([5, "198.51.100.9", 5]);
    const [open] = await trace([{ ...connect }, { eventid: "client.version", at: 3, version: "v" }]);
    expect([open!.durationSec, open!.isDurationDerived, open!.targetAddress, open!.targetPort]).toEqual([3, true, "10.0.0.1", 2222]);
  });

  test("stories come by start, then sensor; a repeated line is as many commands", async () => {
    const input = (sensor: string, at: number): LogEvent => ({ eventid: "command.input", at, input: "id", sensor });
    const stories = await trace([input("b", 5), input("a", 5), input("a", 6), input("c", 4)]);
    expect(stories.map(({ sensor, commands }) => [sensor, commands])).toEqual([
      ["c", ["id"]],
      ["a", ["id", "id"]],
      ["b", ["id"]],
    ]);
  });

  test("an id that is used again is another session; the same connect read twice is not", async () => {
    const stories = await trace([
      connect,
      connect,
      { eventid: "session.closed", at: 1, duration: 1 },
      { ...connect, at: 5000, src_ip: "198.51.100.9" },
      { eventid: "command.input", at: 5001, input: "id", src_ip: "198.51.100.9" },
    ]);
    expect(stories.map(({ address, events }) => [address, events])).toEqual([
      ["192.0.2.1", 3],
      ["198.51.100.9", 2],
    ]);
    const matches = addressMatcher("198.51.100.0/24")!;
    expect(pickStories(stories, { isWanted: ({ address }) => matches(address ?? "") })).toEqual([stories[1]!]);
    const day = Math.floor(NOON_MS / 86_400_000);
    expect(pickStories(stories, { sinceDay: day + 1 })).toEqual([]);
    expect(pickStories(stories, { untilDay: day - 1 })).toEqual([]);
    expect(pickStories(stories, { sinceDay: day, untilDay: day })).toEqual(stories);
  });

  test("sessions of one id on two sensors are two", async () => {
    const stories = await trace([connect, { ...connect, sensor: "b", at: 0 }]);
    expect(stories.map(({ sensor }) => sensor)).toEqual(["a", "b"]);
  });

  test("without lines, what succeeded and failed are the commands; with them, success adds nothing", async () => {
    const [old] = await trace([
      { eventid: "command.success", at: 1, input: "uname" },
      { eventid: "command.failed", at: 2, input: "wat" },
    ]);
    expect(old!.commands).toEqual(["uname", "wat"]);
    const [both] = await trace([
      { eventid: "command.input", at: 1, input: "uname" },
      { eventid: "command.success", at: 1, input: "uname" },
      { eventid: "command.input", at: 2, input: "wat" },
      { eventid: "command.failed", at: 2, input: "wat " },
      { eventid: "command.input", at: 3, input: "secret", realm: "chpasswd" },
    ]);
    expect(both!.commands).toEqual(["uname", "wat"]);
    expect(lines(both!)).toEqual(["0 command: uname", "1 not found: wat", "2 input: to chpasswd secret"]);
  });

  test("twin downloads count once, input under the download's id is input", async () => {
    const [story] = await trace([
      { eventid: "session.file_download", at: 1, url: "http://x/", outfile: "o", shasum: HASH },
      { eventid: "session.file_download", at: 1.5, url: "http://x/", outfile: "o", shasum: HASH },
      { eventid: "session.file_download", at: 3, url: "http://x/", outfile: "o", shasum: HASH },
      { eventid: "session.file_download", at: 4, realm: "cat", input: "abc" },
      { eventid: "session.file_download", at: 5, url: "stdin", outfile: "o", shasum: HASH },
      { eventid: "session.file_download", at: 6, outfile: "o", shasum: HASH, destfile: "/tmp/x" },
    ]);
    expect(story!.files.map(({ name }) => name)).toEqual(["http://x/", "http://x/", "stdin", "/tmp/x"]);
    expect(story!.steps.map(({ what }) => what)).toEqual(["download", "input", "input kept", "file written"]);
    expect(story!.steps[0]).toMatchObject({ repeats: 2 });
    // Neither uploads nor failed downloads have twins.
    const [other] = await trace([
      { eventid: "session.file_upload", at: 1, filename: "a", shasum: HASH },
      { eventid: "session.file_upload", at: 1.5, filename: "b", shasum: HASH },
      { eventid: "session.file_download", at: 2, url: "http://x/" },
      { eventid: "session.file_download", at: 2.5, url: "http://x/" },
    ]);
    expect(other!.steps.map(({ repeats }) => repeats)).toEqual([1, 1, 2]);
  });

  test("equal steps in a row become one; unknown ids are shown with all they hold", async () => {
    const [story] = await trace([
      ...[1, 2, 3].map(at => ({ eventid: "telnet.option", at, command: "WILL", option_name: "NAWS" })),
      { eventid: "custom.geo", at: 4, country: "XX", deep: { a: [1] }, ["__proto__"]: { x: 1 } },
    ]);
    expect(lines(story!)[0]).toBe("0 telnet.option: command=WILL option_name=NAWS x3");
    expect(lines(story!)[1]).toContain('country=XX deep={"a":[1]}');
  });

  test("sizes before 2019-03-14 are turned round", async () => {
    using set = await readEvents([{ eventid: "client.size", at: -3e8, width: 24, height: 80 }]);
    const [story] = buildStories(await findSessions(set, ["s1"]));
    expect(lines(story!)).toEqual(["0 terminal: 80 x 24"]);
  });
});

describe("storyToJson", () => {
  test("keeps names of ours, seconds and ISO times", async () => {
    const [story] = await trace([connect, { eventid: "command.input", at: 1.5, input: "rm -rf /" }]);
    expect(storyToJson(story!)).toMatchObject({
      session: "s1",
      src_port: 4000,
      start: "2024-03-01T12:00:00.000000Z",
      has_end: false,
      steps: [
        { eventid: "cowrie.session.connect", offset_sec: 0 },
        { eventid: "cowrie.command.input", offset_sec: 1.5, input: "rm -rf /", purpose: "cleanup" },
      ],
    });
  });

  test("a step that stands for several says so, and when it was last; what is not known is null", async () => {
    const again = [1, 2].map((at): LogEvent => ({ eventid: "login.failed", at, username: "a", password: "1", src_ip: undefined }));
    const [story] = await trace(again);
    expect(storyToJson(story!)).toMatchObject({
      src_ip: null,
      src_port: null,
      dst_ip: null,
      dst_port: null,
      protocol: null,
      protocol_derived: false,
      has_start: false,
      has_end: false,
      duration_sec: 1,
      duration_derived: true,
      events: 2,
    });
    expect(storyToJson(story!).steps).toEqual([
      {
        offset_sec: 0,
        time: "2024-03-01T12:00:01.000000Z",
        eventid: "cowrie.login.failed",
        repeats: 2,
        last_time: "2024-03-01T12:00:02.000000Z",
        username: "a",
        password: "1",
        success: false,
      },
    ]);
  });
});
