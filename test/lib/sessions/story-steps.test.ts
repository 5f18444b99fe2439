/** Each event in words: what it is called, how it is to be read, whose text it is, and what programs are told. */
import { describe, expect, test } from "bun:test";
import { findSessions } from "../../../lib/sessions/event-search.ts";
import { buildStories } from "../../../lib/sessions/story.ts";
import { type Step, toEndpoint } from "../../../lib/sessions/story-steps.ts";
import { type LogEvent, readEvents } from "../../support/event-logs.ts";

const HASH = "ab".repeat(32);

async function stepsOf(...events: LogEvent[]): Promise<readonly Step[]> {
  using set = await readEvents(events);
  return buildStories(await findSessions(set, ["s1"])).flatMap(({ steps }) => steps);
}

/** Foreign text in angle brackets, ours as it is. */
const show = ({ kind, tone, what, parts }: Step) =>
  `${kind}/${tone} ${what}: ${parts.map(({ text, isForeign }) => (isForeign ? `<${text}>` : text)).join(" ")}`;

const CASES: { event: { eventid: string; [key: string]: unknown }; text: string; fields: object }[] = [
  {
    event: { eventid: "session.connect", src_port: 9, dst_ip: "10.0.0.1", dst_port: 22, protocol: "ssh" },
    text: "connection/quiet connect: <192.0.2.1:9> to 10.0.0.1:22 (ssh)",
    fields: { src_ip: "192.0.2.1", src_port: 9, dst_ip: "10.0.0.1", dst_port: 22, protocol: "ssh" },
  },
  {
    event: { eventid: "session.connect" },
    text: "connection/quiet connect: <192.0.2.1> to unknown",
    fields: { src_ip: "192.0.2.1" },
  },
  { event: { eventid: "client.version" }, text: "client/quiet client: <>", fields: {} },
  { event: { eventid: "client.kex" }, text: "client/quiet HASSH: <(none)>", fields: {} },
  {
    event: { eventid: "client.fingerprint", username: "root", fingerprint: "f", key: "k" },
    text: "login/plain key offered: <root> with <f>",
    fields: { username: "root", fingerprint: "f", key: "k" },
  },
  {
    event: { eventid: "login.success", username: "root", fingerprint: "f" },
    text: "login/strong login accepted: <root> with key <f>",
    fields: { username: "root", password: null, fingerprint: "f", success: true },
  },
  {
    event: { eventid: "login.failed", username: "root" },
    text: "login/plain login refused: <root> without a password",
    fields: { username: "root", password: null, success: false },
  },
  {
    event: { eventid: "command.chpasswd", username: "root" },
    text: "command/quiet password set: of <root>",
    fields: { username: "root" },
  },
  {
    event: { eventid: "session.file_download", url: "HTTP://x/y", outfile: "o", shasum: HASH },
    text: `file/strong download: <HTTP://x/y> no verdict sha256 <${HASH}>`,
    fields: { url: "HTTP://x/y", outfile: "o", shasum: HASH, verdict: null, is_upload: false },
  },
  {
    event: { eventid: "session.file_download", url: "", outfile: "o" },
    text: "file/strong input kept: without a hash",
    fields: { filename: "", outfile: "o", verdict: null, is_upload: false },
  },
  {
    event: { eventid: "session.file_download", url: "stdin", destfile: "/tmp/x", shasum: HASH },
    text: `file/strong file written: </tmp/x> no verdict sha256 <${HASH}>`,
    fields: { filename: "/tmp/x", shasum: HASH, verdict: null, is_upload: false },
  },
  {
    event: { eventid: "session.file_upload", destfile: "d", url: "http://u", shasum: HASH },
    text: `file/strong upload: <d> no verdict sha256 <${HASH}>`,
    fields: { filename: "d", shasum: HASH, verdict: null, is_upload: true },
  },
  {
    event: { eventid: "session.file_download.failed", url: "http://x", error: "refused" },
    text: "file/plain download failed: <http://x> because <refused>",
    fields: { url: "http://x", error: "refused" },
  },
  {
    event: { eventid: "direct-tcpip.request", dst_ip: "2001:db8::1", dst_port: 25 },
    text: "forward/plain forward asked: to <[2001:db8::1]:25>",
    fields: { dst_ip: "2001:db8::1", dst_port: 25 },
  },
  {
    event: { eventid: "direct-tcpip.tunnel", dst_ip: "x", dst_port: 25 },
    text: "forward/plain forward tunneled: to <x:25>",
    fields: { dst_ip: "x", dst_port: 25 },
  },
  {
    event: { eventid: "direct-tcpip.redirect", dst_ip: "x" },
    text: "forward/plain forward redirected: to <x>",
    fields: { dst_ip: "x" },
  },
  {
    event: { eventid: "tunnelproxy-tcpip.data", dst_ip: "x", dst_port: 1 },
    text: "forward/quiet forward data: to <x:1>",
    fields: { dst_ip: "x", dst_port: 1 },
  },
  {
    event: { eventid: "client.size", width: "wide", height: 24 },
    text: "terminal/quiet terminal: of unknown size",
    fields: {},
  },
  {
    event: { eventid: "client.size", width: 80, height: 24 },
    text: "terminal/quiet terminal: 80 x 24",
    fields: { columns: 80, rows: 24 },
  },
  { event: { eventid: "session.params" }, text: "terminal/quiet shell opened: ", fields: { arch: "" } },
  { event: { eventid: "log.open", ttylog: "t" }, text: "terminal/quiet recording: t", fields: { ttylog: "t" } },
  {
    event: { eventid: "log.closed", ttylog: "t", size: 3, duration: 2 },
    text: "terminal/quiet recording: t 3 B after 2.00 s",
    fields: { ttylog: "t", size_bytes: 3, duration_sec: 2 },
  },
  { event: { eventid: "session.closed" }, text: "end/quiet closed: ", fields: {} },
  {
    event: { eventid: "virustotal.scanurl", url: "http://x", positives: 1, total: 60 },
    text: "file/alarm VirusTotal: <http://x> VirusTotal 1/60",
    fields: { url: "http://x", verdict: { positives: 1, total: 60 } },
  },
  {
    event: { eventid: "virustotal.scanfile", sha256: HASH, positives: 0, total: 60 },
    text: `file/plain VirusTotal: <${HASH}> VirusTotal 0/60`,
    fields: { scanned: HASH, verdict: { positives: 0, total: 60 } },
  },
  {
    event: { eventid: "virustotal.scanfile", sha256: HASH },
    text: `file/plain VirusTotal: <${HASH}> no verdict`,
    fields: { scanned: HASH, verdict: null },
  },
  {
    event: { eventid: `odd.${"x".repeat(60)}`, src_port: 9, size: 4, more: true },
    text: `other/quiet odd.${"x".repeat(35)}…: <size=4 more=true>`,
    fields: { data: "size=4 more=true" },
  },
  { event: { eventid: "telnet.option" }, text: "client/quiet telnet.option: ", fields: { data: "" } },
];

describe("one event", () => {
  test.each(CASES)("$text", async ({ event, text, fields }) => {
    const [step, ...more] = await stepsOf({ at: 0, ...event });
    expect(more).toEqual([]);
    expect({ text: show(step!), fields: step!.fields as object }).toEqual({ text, fields });
  });
});

test("a file is alarming once somebody found it so", async () => {
  const file = { eventid: "session.file_upload", filename: "f", shasum: HASH };
  const scan = (at: number, positives: number): LogEvent =>
    ({ eventid: "virustotal.scanfile", at, sha256: HASH, positives, total: 60 });
  expect((await stepsOf({ ...file, at: 0 }, scan(1, 0)))[0]).toMatchObject({
    tone: "strong", fields: { verdict: { positives: 0, total: 60 } },
  });
  expect((await stepsOf({ ...file, at: 0 }, scan(1, 1)))[0]).toMatchObject({ tone: "alarm" });
});

test("what became of a line is told of the line, unless it stood for several", async () => {
  const input = (at: number, text = "wat"): LogEvent => ({ eventid: "command.input", at, input: text });
  const failed = (at: number, text = "wat "): LogEvent => ({ eventid: "command.failed", at, input: text });
  expect((await stepsOf(input(0), failed(0))).map(show)).toEqual(["command/plain not found: <wat>"]);
  expect((await stepsOf(input(0), failed(0)))[0]!.fields).toEqual({ input: "wat", found: false });
  expect((await stepsOf(input(0), failed(0, "other"))).map(show)).toEqual([
    "command/plain command: <wat>",
    "command/quiet not found: <other>",
  ]);
  expect((await stepsOf(input(0), input(1), failed(1))).map(({ what, repeats }) => [what, repeats])).toEqual([
    ["command", 2],
    ["not found", 1],
  ]);
});

test("equal are steps of one event, word and text", async () => {
  const steps = await stepsOf(
    { eventid: "login.failed", at: 0, username: "a", password: "1" },
    { eventid: "login.failed", at: 1, username: "a", password: "1" },
    { eventid: "login.success", at: 2, username: "a", password: "1" },
    { eventid: "login.failed", at: 3, username: "a" },
    { eventid: "login.failed", at: 4, username: "a", password: "2" },
  );
  expect(steps.map(({ what, repeats, us, lastUs }) => [what, repeats, (lastUs - us) / 1e6])).toEqual([
    ["login refused", 2, 1],
    ["login accepted", 1, 0],
    ["login refused", 1, 0],
    ["login refused", 1, 0],
  ]);
});

test("an endpoint without a port has no brackets, one without an address is unknown", () => {
  expect([toEndpoint("::1", undefined), toEndpoint(undefined, 22), toEndpoint("::1", 0)]).toEqual([
    "::1",
    "unknown:22",
    "[::1]:0",
  ]);
});
