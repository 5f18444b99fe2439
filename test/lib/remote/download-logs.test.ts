import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { downloadLogs, type DownloadOptions } from "../../../lib/remote/download-logs.ts";
import { safeName } from "../../../lib/remote/local-names.ts";
import { SshError } from "../../../lib/ssh/ssh-error.ts";
import { fetchMark, isListing, type Lab, listingOf, makeLab } from "../../support/remote.ts";
import { makeTempDir, run } from "../../support/run.ts";
import { freePort, SSHD_MISSING, SSHD_USERS_MISSING, type Sshd } from "../../support/sshd.ts";
import { type Asked, startFakeServer } from "../../support/ssh-server.ts";

const withSshd = test.skipIf(SSHD_MISSING !== undefined);
const withUsers = test.skipIf(SSHD_USERS_MISSING !== undefined);
const why = SSHD_MISSING === undefined ? "" : ` (skipped: ${SSHD_MISSING})`;
const whyUsers = SSHD_USERS_MISSING === undefined ? "" : ` (skipped: ${SSHD_USERS_MISSING})`;

function download(
  lab: Lab,
  server: Pick<Sshd, "port" | "user">,
  options: Partial<DownloadOptions> = {},
  timeoutMs?: number,
) {
  const all = {
    folder: join(lab.folder, "out"),
    paths: ["~/logs"],
    sudo: false,
    isPacked: false,
    requests: 4,
    include: [],
    show() {},
    note() {},
  };
  return lab.at(server, connection => downloadLogs(connection, { ...all, ...options }), timeoutMs);
}

/** Lines as of a log; different for different seeds, the same whenever. */
function lines(seed: string, count: number): string {
  return Array.from({ length: count }, (_, i) => `{"eventid":"cowrie.${seed}","n":${i}}\n`).join("");
}

describe("downloadLogs", () => {
  withSshd(`copies whatever the name, and nothing twice${why}`, async () => {
    await using lab = await makeLab();
    const server = await lab.start();
    const logs = join(server.home, "logs");
    await mkdir(join(logs, "sub dir"), { recursive: true });
    const names = [
      "cowrie.json",
      "cowrie.json 'quoted' \"twice\"",
      "cowrie\n.json",
      "cowrie$(touch pwned)`id`.json.1",
      "cowrie.json;ls",
      "sub dir/cowrie.json",
      "cowrie.json\\back",
      "cowrie.json.ünï",
    ];
    for (const name of names) writeFileSync(join(logs, name), name.repeat(10));
    writeFileSync(Buffer.concat([Buffer.from(`${logs}/cowrie.json.`), Buffer.from([0xff, 0xfe])]), "not UTF-8");
    writeFileSync(join(logs, "other.txt"), "no log");
    writeFileSync(join(logs, "cowrie.json.empty"), "");
    await run(["chmod", "-R", "a+rX", server.home]);
    const first = await download(lab, server);
    expect(first).toMatchObject({ logs: 10, fetched: 10, failed: [] });
    const out = join(lab.folder, "out");
    for (const name of names) {
      const local = join(
        out,
        name
          .split("/")
          .map(part => safeName(Buffer.from(part).toString("latin1")))
          .join("/"),
      );
      expect([name, await Bun.file(local).text()]).toEqual([name, name.repeat(10)]);
      expect(Math.abs(statSync(local).mtimeMs - statSync(join(logs, name)).mtimeMs)).toBeLessThan(2);
    }
    expect(await Bun.file(join(out, "cowrie.json.%FF%FE")).text()).toBe("not UTF-8");
    expect(existsSync(join(server.home, "pwned"))).toBe(false);
    expect(await download(lab, server)).toMatchObject({ fetched: 0, unchanged: 10, bytes: 0 });
    expect(await run(["find", out, "-name", ".*.part"])).toMatchObject({ stdout: "" });
  });

  for (const isPacked of [false, true]) {
    withSshd(`a log that has grown costs its tail, ${isPacked ? "packed" : "as it is"}${why}`, async () => {
      await using lab = await makeLab();
      const server = await lab.start();
      const log = join(server.home, "logs/cowrie.json");
      await mkdir(join(server.home, "logs"));
      writeFileSync(log, lines("a", 60_000));
      await run(["chmod", "-R", "a+rX", server.home]);
      const whole = await download(lab, server, { isPacked });
      expect([whole.bytes, whole.wireBytes < statSync(log).size / 2]).toEqual([statSync(log).size, isPacked]);
      await appendFile(log, lines("b", 100));
      const tail = await download(lab, server, { isPacked });
      expect(tail).toMatchObject({ fetched: 1, bytes: lines("b", 100).length });
      expect(tail.wireBytes).toBeLessThan(8192);
      expect(await readFile(join(lab.folder, "out/cowrie.json"), "utf8")).toBe(lines("a", 60_000) + lines("b", 100));
    });
  }

  withSshd(`a log that was rotated, shortened or rewritten loses nothing${why}`, async () => {
    await using lab = await makeLab();
    const server = await lab.start();
    const logs = join(server.home, "logs");
    await mkdir(logs);
    const log = join(logs, "cowrie.json");
    writeFileSync(log, lines("monday", 100));
    await run(["chmod", "-R", "a+rX", server.home]);
    await download(lab, server);
    // Rotated: the text of the copy is that of the dated log now.
    await appendFile(log, lines("monday evening", 5));
    renameSync(log, join(logs, "cowrie.json.2024-01-01"));
    writeFileSync(log, lines("tuesday", 3));
    expect(await download(lab, server)).toMatchObject({ fetched: 2, kept: [] });
    // Shortened: what was in it is nowhere else.
    writeFileSync(log, lines("wednesday", 1));
    utimesSync(log, 1_700_000_000, 1_700_000_000);
    const { kept } = await download(lab, server);
    expect(kept).toHaveLength(1);
    expect(await Bun.file(kept[0]!).text()).toBe(lines("tuesday", 3));
    // Rewritten in the same length.
    writeFileSync(log, lines("thursday ", 1));
    expect(await download(lab, server)).toMatchObject({ fetched: 1, unchanged: 1 });
    expect(readdirSync(join(lab.folder, "out")).filter(name => !name.includes(".old-"))).toEqual([
      "cowrie.json",
      "cowrie.json.2024-01-01",
    ]);
  });

  withUsers(`goes on where a server was killed in the middle${whyUsers}`, async () => {
    await using lab = await makeLab();
    const port = await freePort();
    const server = await lab.start({ port });
    await mkdir(join(server.home, "logs"));
    const text = lines("big", 400_000);
    writeFileSync(join(server.home, "logs/cowrie.json"), text);
    await run(["chmod", "-R", "a+rX", server.home]);
    let got = 0;
    const broken = download(lab, server, {
      onWire: async bytes => {
        if ((got += bytes) > text.length / 2) await server.kill();
      },
    });
    await expect(broken).rejects.toMatchObject({ fault: "lost" });
    expect(readdirSync(join(lab.folder, "out"))).toEqual([".cowrie.json.part"]);
    const again = await lab.start({ port, hostKeyFolder: server.folder });
    await run(["cp", "-a", join(server.home, "logs"), again.home]);
    const { wireBytes } = await download(lab, again);
    expect(wireBytes).toBeLessThan(text.length * 0.7);
    expect(await readFile(join(lab.folder, "out/cowrie.json"), "utf8")).toBe(text);
  });

  withSshd(`a partial file of another log is not taken for its beginning${why}`, async () => {
    await using lab = await makeLab();
    const server = await lab.start();
    await mkdir(join(server.home, "logs"));
    writeFileSync(join(server.home, "logs/cowrie.json"), lines("right", 1000));
    await run(["chmod", "-R", "a+rX", server.home]);
    await mkdir(join(lab.folder, "out"));
    writeFileSync(join(lab.folder, "out/.cowrie.json.part"), lines("wrong", 500));
    await download(lab, server);
    expect(await Bun.file(join(lab.folder, "out/cowrie.json")).text()).toBe(lines("right", 1000));
    // The same end, another beginning: only the hash can tell.
    writeFileSync(join(lab.folder, "out/cowrie.json"), `X${lines("right", 900).slice(1)}`);
    await download(lab, server);
    expect(await Bun.file(join(lab.folder, "out/cowrie.json")).text()).toBe(lines("right", 1000));
  });

  withSshd(`picks by day and by name, says what may not be read and what is not there${why}`, async () => {
    await using lab = await makeLab();
    const server = await lab.start();
    const logs = join(server.home, "logs");
    await mkdir(join(logs, "deep"), { recursive: true });
    for (const day of ["2024-01-01", "2024-01-02", "2024-01-03"]) {
      writeFileSync(join(logs, `cowrie.json.${day}`), lines(day, 2));
      utimesSync(join(logs, `cowrie.json.${day}`), Date.parse(day) / 1000, Date.parse(day) / 1000);
    }
    await run(["chmod", "-R", "a+rX", server.home]);
    const at = (name: string) => ({ folder: join(lab.folder, name) });
    expect(await download(lab, server, { ...at("a"), sinceMs: Date.parse("2024-01-02") })).toMatchObject({ logs: 2 });
    expect(await download(lab, server, { ...at("b"), include: ["*-0[1", "*.json.*-01", "x"] })).toMatchObject({
      logs: 1,
    });
    expect(await download(lab, server, { ...at("c"), paths: [`${logs}/cowrie.json.2024-01-03`] })).toMatchObject({
      logs: 1,
    });
    await expect(download(lab, server, { ...at("d"), paths: ["/no/such folder"] })).rejects.toThrow(
      'cannot find "/no/such folder"',
    );
    await expect(download(lab, server, { ...at("e"), paths: [] })).rejects.toThrow("no log found in the usual places");
    if (server.user === "pot") {
      await run(["chmod", "000", join(logs, "cowrie.json.2024-01-01")]);
      expect(await download(lab, server, at("f"))).toMatchObject({
        fetched: 2,
        failed: [{ path: `${logs}/cowrie.json.2024-01-01`, reason: expect.stringContaining("permission denied") }],
      });
      await run(["chmod", "000", logs]);
      await expect(download(lab, server, at("g"))).rejects.toThrow("permission denied (--sudo");
    }
  });

  withSshd(`says so when the folder here cannot be written${why}`, async () => {
    await using lab = await makeLab();
    const server = await lab.start();
    await mkdir(join(server.home, "logs/a"), { recursive: true });
    writeFileSync(join(server.home, "logs/a/cowrie.json"), lines("x", 5));
    await run(["chmod", "-R", "a+rX", server.home]);
    await mkdir(join(lab.folder, "out"));
    await Bun.write(join(lab.folder, "out/a"), "a file in the way");
    const { fetched, failed } = await download(lab, server);
    expect({ fetched, failed }).toEqual({
      fetched: 0,
      failed: [{ path: expect.stringContaining("a/cowrie.json"), reason: expect.stringContaining("Cannot write") }],
    });
  });
});

describe("a hostile server", () => {
  /** Let a server answer listings and requests by functions, and download from it. */
  async function against(
    listing: string,
    onFetch: (asked: Asked, mark: string) => void,
    options: { timeoutMs?: number; note?: (text: string) => void; taken?: string } = {},
  ) {
    const dir = await makeTempDir();
    await using server = await startFakeServer({
      onScript: asked => (isListing(asked) ? asked.answer(listing) : onFetch(asked, fetchMark(asked))),
    });
    await using lab = await makeLab();
    await Bun.write(lab.known, server.knownHosts);
    const folder = join(dir.path, "a/b/out");
    if (options.taken !== undefined) await Bun.write(join(dir.path, options.taken), "");
    const more = { folder, ...(options.note && { note: options.note }) };
    const outcome = await download(lab, { port: server.port, user: "pot" }, more, options.timeoutMs ?? 2000).then(
      value => ({ value, error: undefined }),
      (error: unknown) => ({ value: undefined, error }),
    );
    const files = new Set(new Bun.Glob("**/*").scanSync({ cwd: dir.path, dot: true }));
    await dir[Symbol.asyncDispose]();
    return { ...outcome, files: [...files].sort() };
  }
  const serve =
    (...texts: string[]) =>
    (asked: Asked, mark: string) =>
      asked.answer(texts.map((text, i) => `${text}\n${mark} ${i} \n`).join(""));

  test("names that lead elsewhere stay in the folder", async () => {
    const paths = ["/logs/../../../../cowrie.json", "/etc/cowrie.json", "/logs/./cowrie.json", "/logs/a\n/cowrie.json"];
    const { value, files } = await against(
      listingOf(paths.map(path => ({ path, size: 4 }))),
      serve("one\n", "two\n", "333\n", "4\n4\n"),
    );
    expect(value).toMatchObject({ fetched: 4, failed: [] });
    expect(files).toEqual([
      "a/b/out/%2E./%2E./%2E./%2E./cowrie.json",
      "a/b/out/%2E/cowrie.json",
      "a/b/out/a%0A/cowrie.json",
      "a/b/out/cowrie.json",
    ]);
  });

  test("a listing that is none, endless, or of nonsense is refused", async () => {
    const bad = [
      "hello",
      "tools\0Linux\0",
      listingOf([{ path: "/logs/cowrie.json", size: "-1" }]),
      listingOf([{ path: "/logs/cowrie.json", size: "9".repeat(30) }]),
      listingOf([{ path: "cowrie.json", size: 1 }]),
      listingOf([{ path: "/logs/cowrie.json", size: 1, mtime: "$(id)" }]),
      "\0".repeat(1000),
    ];
    for (const listing of bad) {
      const { error, files } = await against(listing, () => {});
      expect([listing.slice(0, 20), (error as SshError).fault, files]).toEqual([listing.slice(0, 20), "garbage", []]);
    }
  });

  test("a log with a name, a size or a time that cannot be meant fails alone", async () => {
    const listing = listingOf([
      { path: "/logs/cowrie.json", size: 4 },
      { path: "cowrie.json.1", size: 4 },
      { path: "/logs/cowrie.json.2", size: "-1" },
      { path: "/logs/cowrie.json.3", size: 4, mtime: "1e300" },
      { path: `/logs/${"deep/".repeat(800)}cowrie.json`, size: 4 },
      { path: "/logs/cowrie.json.4", size: 4, mtime: "-1.5" },
      { path: "/logs/cowrie.json/cowrie.json", size: 4 },
    ]);
    const { value, files } = await against(listing, serve("one\n", "four", "in 1"));
    expect(value).toMatchObject({ fetched: 3 });
    expect(value!.failed.map(({ reason }) => reason)).toEqual([
      "the host tells no whole path of it",
      'the host tells a size of "-1"',
      'the host tells a time of "1e300"',
      "its path is too long for this machine",
    ]);
    expect(files).toEqual([
      "a/b/out/cowrie.json.4",
      "a/b/out/cowrie.json/cowrie.json",
      expect.stringMatching(/^a\/b\/out\/cowrie\.json~[0-9a-f]{16}$/),
    ]);
  });

  test("a log whose place here is taken by a folder fails alone", async () => {
    const { value } = await against(
      listingOf([
        { path: "/logs/cowrie.json", size: 4 },
        { path: "/logs/cowrie.json.1", size: 4 },
      ]),
      serve("one\n", "two\n"),
      { taken: "a/b/out/cowrie.json/x" },
    );
    expect(value).toMatchObject({ fetched: 1, failed: [{ path: "/logs/cowrie.json", reason: expect.stringContaining("Cannot write") }] });
  });

  test("two folders of one local name are told and kept apart", async () => {
    const log = (root: string) => listingOf([{ path: `${root}/cowrie.json`, size: 4, inode: root }], root);
    const listing = log("/a_b").replace("end\0", "") + log("/a/b").split("\0").slice(3).join("\0");
    const notes: string[] = [];
    const { value, files } = await against(listing, serve("one\n", "two\n"), { note: text => notes.push(text) });
    expect(value).toMatchObject({ logs: 2, fetched: 2, failed: [] });
    expect(files).toHaveLength(2);
    for (const file of files) expect(file).toMatch(/^a\/b\/out\/a_b\/cowrie\.json~[0-9a-f]{16}$/);
    expect(notes).toEqual([
      '"/a_b/cowrie.json" and "/a/b/cowrie.json" would have one name here: kept apart by a hash in their names',
    ]);
  });

  test("data without end end at the size that was told", async () => {
    const { error, files } = await against(
      listingOf([{ path: "/logs/cowrie.json", size: 100 }]),
      ({ write, channel }) => {
        write("");
        const pour = () => {
          while (channel.writable && channel.write(Buffer.alloc(32_768, 65)));
          if (channel.writable) channel.once("drain", pour);
        };
        pour();
      },
    );
    expect((error as SshError).message).toContain("more than was asked for");
    expect(files.filter(file => file.endsWith("cowrie.json"))).toEqual([]);
  });

  test("less than was told is no whole file, however often it is asked", async () => {
    const listing = listingOf([
      { path: "/logs/cowrie.json", size: 5_000_000_000 },
      { path: "/logs/cowrie.json.1", size: 3 },
    ]);
    let asked = 0;
    const { value, files } = await against(listing, (question, mark) => {
      asked++;
      if (asked === 1) serve("short")(question, mark);
      else if (question.script.includes("cowrie.json.1'")) serve("abc")(question, mark);
      else serve("short")(question, mark);
    });
    expect(value).toMatchObject({
      fetched: 1,
      failed: [{ path: "/logs/cowrie.json", reason: "it changes while it is read" }],
    });
    expect(files.filter(file => !file.endsWith(".part"))).toEqual(["a/b/out/cowrie.json.1"]);
  });

  test("a hash that is not the text's is no whole file", async () => {
    const { value, files } = await against(
      listingOf([{ path: "/logs/cowrie.json", size: 3 }]).replace("000", "001"),
      (asked, mark) => asked.answer(`abc\n${mark} 0 ${"0".repeat(64)}  -\n`),
    );
    expect(value).toMatchObject({ fetched: 0, failed: [{ path: "/logs/cowrie.json" }] });
    expect(files).toEqual([]);
  });

  test("small logs that come together are told apart by their hashes", async () => {
    const sum = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
    const listing = listingOf([
      { path: "/logs/cowrie.json", size: 3 },
      { path: "/logs/cowrie.json.1", size: 3 },
      { path: "/logs/cowrie.json.2", size: 3 },
    ]).replace("000", "001");
    let asked = 0;
    // The second one has grown since it was listed, so the third is not where it should be.
    const { value, files } = await against(listing, (question, mark) => {
      asked++;
      const answer =
        asked === 1
          ? `abcdefgGh\n${mark} 0 ${[sum("abc"), sum("defgG"), sum("hij")].join(" ")} \n`
          : `def\n${mark} 0 ${sum("def")}  -\nhij\n${mark} 1 ${sum("hij")}  -\n`;
      question.answer(answer);
    });
    expect([asked, value]).toMatchObject([2, { fetched: 3, failed: [] }]);
    expect(files).toEqual(["a/b/out/cowrie.json", "a/b/out/cowrie.json.1", "a/b/out/cowrie.json.2"]);
    const lacking = await against(listing, ({ answer }, mark) => answer(`abcdefhij\n${mark} 0 ${sum("abc")} \n`));
    expect([(lacking.error as SshError).message, lacking.files]).toEqual(["it sends more than was asked for", []]);
  });

  test("a stall is given up, a broken end is an error", async () => {
    const listing = listingOf([{ path: "/logs/cowrie.json", size: 100 }]);
    const stalled = await against(listing, ({ write }) => write("abc"), { timeoutMs: 500 });
    expect(stalled.error).toMatchObject({ fault: "silent" });
    const cut = await against(listing, asked => asked.answer("abc"));
    expect(cut.error).toMatchObject({ fault: "lost" });
  });

  test("a mark made up by the log itself means nothing", async () => {
    const text = `\n${"0".repeat(32)} 0 \n${"f".repeat(32)} 1 \n`;
    const { value } = await against(listingOf([{ path: "/logs/cowrie.json", size: text.length }]), serve(text));
    expect(value).toMatchObject({ fetched: 1, bytes: text.length });
  });
});
