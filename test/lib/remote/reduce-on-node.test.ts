/**
 * Nodes that reduce, and lie: whatever they send as counts is held against what was asked, in size, time and names.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reducedToIpc } from "../../../lib/reduced/reduced-arrow.ts";
import { toIpc } from "../../../lib/columns/arrow-ipc.ts";
import { NUMBER_KEYS, REDUCED_VERSION, TEXT_KEYS } from "../../../lib/reduced/kinds.ts";
import { toTexts } from "../../../lib/columns/dictionary.ts";
import type { ReducedInfo } from "../../../lib/reduced/reduced-table.ts";
import { kernelBytes } from "../../../lib/kernel/kernel-bytes.ts";
import { bundle, reduceOnNode, type ReduceOnNodeOptions } from "../../../lib/remote/reduce-on-node.ts";
import { Connector } from "../../../lib/ssh/connector.ts";
import { resolveHost } from "../../../lib/ssh/ssh-config.ts";
import { buildReduced } from "../../support/build.ts";
import { isListing, listingOf } from "../../support/remote.ts";
import { makeTempDir, runScript } from "../../support/run.ts";
import { type Asked, startFakeServer } from "../../support/ssh-server.ts";
import { makeKey } from "../../support/sshd.ts";
import type { SourceInfo } from "../../../lib/events/source.ts";

const SOURCE: SourceInfo = {
  path: "/logs/cowrie.json",
  sizeBytes: 100,
  headHash: "0123456789abcdef",
  wholeHash: "fedcba9876543210",
  counts: { lines: 2, events: 2, repaired: 0, rejected: 0, pending: 0 },
  firstSeenUs: 1.7e15,
  lastSeenUs: 1.7e15,
};

function tableOf(sources: unknown): Buffer {
  const info = { version: REDUCED_VERSION, parameters: { robotMaxSeconds: 99 }, sources } as ReducedInfo;
  const row = {
    kind: "connect" as const,
    date: "2023-11-14",
    sensor: "s",
    key: { src_ip: "192.0.2.1", dst_port: 22 },
    count: 2,
  };
  return Buffer.concat([...reducedToIpc(buildReduced([row], info), "stream")]);
}

/** The mark a node writes behind its counts. */
const markOf = ({ script }: Asked) => /\nprintf ([0-9a-f]{32})\n/.exec(script)![1]!;

/** A node that says it has Bun and one log, and answers the rest as it likes. */
async function startNode(answer: (asked: Asked) => void, listing = () => listingOf([{ path: "/logs/cowrie.json", size: 100 }])) {
  const dir = await makeTempDir();
  const server = await startFakeServer({
    onScript: asked => {
      if (asked.script.includes("ld-musl"))
        asked.answer("bun /usr/bin/bun\nmachine Linux x86_64\nlibc glibc\nfree 5\n");
      else if (isListing(asked)) asked.answer(listing());
      else answer(asked);
    },
  });
  const known = join(dir.path, "known_hosts");
  await Bun.write(known, server.knownHosts);
  return {
    ...server,
    known,
    folder: dir.path,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function reduceAt(answer: (asked: Asked) => void, timeoutMs?: number) {
  await using node = await startNode(answer);
  return await reduceFrom(node, {}, timeoutMs);
}

async function reduceFrom(node: Awaited<ReturnType<typeof startNode>>, more: Partial<ReduceOnNodeOptions> = {}, timeoutMs = 5000) {
  const spec = { host: "127.0.0.1", port: node.port, user: "pot" };
  const host = await resolveHost(spec, { configFile: "none", knownHosts: [node.known] });
  await using connector = new Connector({ timeoutMs });
  await using connection = await connector.connect({ ...host, agent: undefined, identities: [] });
  return await reduceOnNode(connection, {
    name: "node",
    paths: [],
    sudo: false,
    parameters: { robotMaxSeconds: 10 },
    isFresh: false,
    keepDuplicates: false,
    isRequired: true,
    hasSetup: false,
    only: undefined,
    wantsRejects: true,
    kept: join(node.folder, "node~counts"),
    show: () => {},
    note: () => {},
    ...more,
  });
}

const answering = (bytes: (mark: string) => string | Uint8Array) => (asked: Asked) =>
  asked.answer(bytes(markOf(asked)));
const withSources = (sources: unknown) => answering(mark => Buffer.concat([tableOf(sources), Buffer.from(mark)]));

describe("counts of a node", () => {
  test("come with the node's name before the logs', by the parameters that were asked for", async () => {
    const rejected = [
      { source: "/logs/cowrie.json", line: 3, text: "\u001b[2J" },
      { source: "/logs/cowrie.json", line: "3", text: "x" },
      { source: 5, line: 3 },
    ];
    const lines = [...rejected.map(line => JSON.stringify(line)), "rubbish", "null", "[]"].join("\n");
    const reduced = await reduceAt(
      answering(mark => Buffer.concat([tableOf([SOURCE]), Buffer.from(`${mark}${lines}\n`)])),
    );
    expect(reduced).toMatchObject({
      logs: [{ source: { path: "node:/logs/cowrie.json" }, remotePath: "/logs/cowrie.json" }],
      table: { info: { parameters: { robotMaxSeconds: 10 } } },
      rejects: [
        {
          path: "node:/logs/cowrie.json",
          json: '{"source":"node:/logs/cowrie.json","line":3,"text":"\\u001b[2J"}\n',
        },
      ],
    });
  });

  const LIES: [what: string, sources: unknown][] = [
    ["a log nobody asked for", [{ ...SOURCE, path: "/etc/passwd" }]],
    ["one log twice", [SOURCE, { ...SOURCE, wholeHash: "0000000000000000" }]],
    ["a size below nothing", [{ ...SOURCE, sizeBytes: -1 }]],
    ["a size that is none", [{ ...SOURCE, sizeBytes: 1e300 }]],
    ["a hash that is none", [{ ...SOURCE, headHash: "\u001b[2J" }]],
    ["half a count", [{ ...SOURCE, counts: { ...SOURCE.counts, events: 0.5 } }]],
    ["no counts", [{ ...SOURCE, counts: undefined }]],
    ["counts that were cut", [{ ...SOURCE, cut: true }]],
    ["a time that is none", [{ ...SOURCE, firstSeenUs: "now" }]],
    ["a time before time", [{ ...SOURCE, firstSeenUs: -1e300, lastSeenUs: -1e300 }]],
    ["a time behind time", [{ ...SOURCE, firstSeenUs: 1e300, lastSeenUs: 1e300 }]],
    ["a damage without end", [{ ...SOURCE, damage: "x".repeat(2e6) }]],
    ["no list", null],
    ["a list of nothing", [null]],
  ];
  test.each(LIES)("%s: none of it is taken", async (_what, sources) => {
    await expect(reduceAt(withSources(sources))).rejects.toThrow("its counts cannot be read");
  });

  const BAD: [what: string, answer: (asked: Asked) => void, says: string][] = [
    ["noise", answering(mark => `hello${mark}`), "its counts cannot be read"],
    ["nothing", answering(() => ""), "its answer broke off"],
    ["counts without their end", answering(() => tableOf([SOURCE]).subarray(0, 500)), "its answer broke off"],
    [
      "half of the counts",
      answering(mark => Buffer.concat([tableOf([SOURCE]).subarray(0, 500), Buffer.from(mark)])),
      "cannot be read",
    ],
    ["no counts at all", asked => asked.answer(markOf(asked), 1), "its reducer failed (status 1)"],
  ];
  test.each(BAD)("%s", async (_what, answer, says) => {
    await expect(reduceAt(answer)).rejects.toThrow(says);
  });

  test("a reducer that says nothing is given up as any silent node is, one that shows life is waited for", async () => {
    const asks: number[] = [];
    const silent = reduceAt(({ write, script }) => {
      asks.push(Number(/COWRIE_BEAT_SECONDS=(\S+)/.exec(script)![1]));
      write("");
    }, 600);
    await expect(silent).rejects.toMatchObject({ fault: "silent" });
    expect(asks).toEqual([0.15]);
    // Three times as long as silence is borne.
    const slow = reduceAt(async asked => {
      asked.write("");
      for (let i = 0; i < 12; i++) {
        await Bun.sleep(150);
        asked.channel.stderr.write("\n");
      }
      answering(mark => Buffer.concat([tableOf([SOURCE]), Buffer.from(mark)]))(asked);
    }, 600);
    expect(await slow).toMatchObject({ logs: [{ remotePath: "/logs/cowrie.json" }] });
  });

  test("counts without end are refused at the limit", async () => {
    const pour = ({ write, channel }: Asked) => {
      write("");
      const piece = Buffer.alloc(1 << 20, 65);
      const go = () => {
        while (channel.writable && channel.write(piece));
        if (channel.writable) channel.once("drain", go);
      };
      go();
    };
    await expect(reduceAt(pour)).rejects.toThrow("it sends more than 268 MB of counts");
  });
});

test("a node that drips for ever is given up by --time-limit, and not tried again", async () => {
  let asks = 0;
  await using node = await startNode(({ write, channel }) => {
    asks++;
    write("");
    const timer = setInterval(() => (channel.writable ? channel.write("x") : clearInterval(timer)), 100);
    channel.once("close", () => clearInterval(timer));
  });
  const { file: key } = await makeKey(join(node.folder, "id"));
  const args = [
    "-i",
    `pot@127.0.0.1:${node.port}`,
    "--known-hosts",
    node.known,
    "--ssh-config",
    "none",
    "--identity",
    key,
  ];
  const { exitCode, stderr } = await runScript(
    "analyze-remote",
    [...args, "--reduce-on", "node", "--time-limit", "2", "--timeout", "1"],
    { cwd: node.folder, env: { SSH_AUTH_SOCK: undefined, XDG_CACHE_HOME: node.folder } },
  );
  expect([exitCode, asks]).toEqual([1, 1]);
  expect(stderr).toContain("failed: not done after 2.00 s (--time-limit)");
});

test("the program that goes to a node has the kernel in it", async () => {
  expect(Buffer.from(await bundle()).includes(kernelBytes().toBase64())).toBe(true);
});

describe("counts that were kept", () => {
  /** A node that counts how often it is asked, and whose log can grow. */
  async function startKeeping(answer: (mark: string) => Uint8Array) {
    let [asked, size] = [0, 100];
    const onAsked = (question: Asked) => {
      asked++;
      question.answer(answer(markOf(question)));
    };
    const node = await startNode(onAsked, () => listingOf([{ path: "/logs/cowrie.json", size }]));
    const state = { kept: join(node.folder, "node~counts"), node, asked: () => asked, grow: () => size++ };
    return { ...state, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
  }
  const LINE = `${JSON.stringify({ source: "/logs/cowrie.json", line: 1, text: "x" })}\n`;
  const counts = (mark: string) => Buffer.concat([tableOf([SOURCE]), Buffer.from(`${mark}${LINE}`)]);

  test("are taken again, rejected lines too, while nothing has changed; then the node is asked", async () => {
    await using at = await startKeeping(counts);
    const first = await reduceFrom(at.node);
    expect(first).toMatchObject({ isReused: false, rejects: [{ path: "node:/logs/cowrie.json" }] });
    for (let i = 0; i < 3; i++) {
      expect(await reduceFrom(at.node)).toEqual({ ...first!, isReused: true, wireBytes: 0 });
    }
    expect(at.asked()).toBe(1);
    at.grow();
    expect(await reduceFrom(at.node)).toMatchObject({ isReused: false });
    expect(await reduceFrom(at.node)).toMatchObject({ isReused: true });
    expect(at.asked()).toBe(2);
  });

  test("without an event as well", async () => {
    const none = 'reduce: Cannot find an event in any log';
    await using node = await startNode(asked => {
      asked.channel.stderr.write(`${none}\n`);
      asked.answer(markOf(asked), 1);
    });
    expect(await reduceFrom(node)).toMatchObject({ table: undefined, isReused: false, leftOut: 1 });
    expect(await reduceFrom(node)).toMatchObject({ table: undefined, isReused: true, leftOut: 1 });
  });

  const OTHERS: [what: string, options: Partial<ReduceOnNodeOptions>][] = [
    ["other days", { parameters: { robotMaxSeconds: 10, sinceDay: 19000 } }],
    ["another limit", { parameters: { robotMaxSeconds: 11 } }],
    ["copies that count", { keepDuplicates: true }],
    ["no rejected lines", { wantsRejects: false }],
    ["another name", { name: "other" }],
    ["everything anew", { isFresh: true }],
  ];
  test.each(OTHERS)("are no answer where the question is for %s", async (_what, options) => {
    await using at = await startKeeping(counts);
    await reduceFrom(at.node);
    expect(await reduceFrom(at.node, options)).toMatchObject({ isReused: false });
    expect(at.asked()).toBe(2);
  });

  test("are not believed where somebody else has written them", async () => {
    await using at = await startKeeping(counts);
    await reduceFrom(at.node);
    const own = readFileSync(at.kept);
    const forged = Buffer.from(own);
    forged[200]! ^= 1;
    let asked = 1;
    for (const bytes of [forged, own.subarray(0, 50), Buffer.alloc(0)]) {
      writeFileSync(at.kept, bytes);
      expect(await reduceFrom(at.node)).toMatchObject({ isReused: false });
      expect(at.asked()).toBe(++asked);
      expect(await reduceFrom(at.node)).toMatchObject({ isReused: true });
    }
    // A place where nothing can be kept costs the next run, not this one.
    const kept = join(at.node.known, "below/a/file");
    expect(await reduceFrom(at.node, { kept })).toMatchObject({ isReused: false });
    expect(await reduceFrom(at.node, { kept })).toMatchObject({ isReused: false });
  });
});

test("a node that counts what cannot be is a failed node; the counts of the others are written", async () => {
  const on = { date: "2023-11-14", sensor: "s", count: 2 };
  const sound = buildReduced(
    [
      { kind: "event", ...on, key: { eventid: "cowrie.session.connect", hour: 22 } },
      { kind: "connect", ...on, key: { src_ip: "192.0.2.1", dst_port: 22 } },
    ],
    { version: REDUCED_VERSION, parameters: { robotMaxSeconds: 10 }, sources: [SOURCE] },
  );
  await using honest = await startNode(answering(mark => Buffer.concat([...reducedToIpc(sound, "stream"), Buffer.from(mark)])));
  const endless = (mark: string) => {
    const texts = ["sensor", "kind", ...TEXT_KEYS].map(name => ({ name, texts: toTexts(["connect"]), nullable: true }));
    const numbers = new Map([["day", 19_000], ["count", Infinity], ["success", 0], ["first_seen", 1.6e15], ["last_seen", 1.7e15]]);
    const names = [...numbers.keys(), ...NUMBER_KEYS];
    const lists = { name: "addresses", type: "list" as const, nullable: true };
    const shapes = [...texts, ...names.map(name => ({ name, type: "float64" as const, nullable: true })), lists];
    const columns = [...texts.map(() => Int32Array.of(0)), ...names.map(name => Float64Array.of(numbers.get(name) ?? NaN)), undefined];
    const info = { version: REDUCED_VERSION, parameters: { robotMaxSeconds: 10 }, sources: [SOURCE] };
    const metadata = new Map([["cowrie.reduced", JSON.stringify(info)]]);
    return Buffer.concat([...toIpc("stream", shapes, [{ rows: 1, columns }], metadata), Buffer.from(mark)]);
  };
  await using liar = await startNode(answering(endless));
  await using timeless = await startNode(withSources([{ ...SOURCE, firstSeenUs: -1e300, lastSeenUs: -1e300 }]));
  const key = join(honest.folder, "id");
  await makeKey(key);
  const nodes = [honest, liar, timeless];
  const { exitCode, stderr } = await runScript(
    "analyze-remote",
    [
      ...nodes.flatMap(({ port, known }) => ["-i", `pot@127.0.0.1:${port}`, "--known-hosts", known]),
      ...["--ssh-config", "none", "--identity", key, "--reduce-on", "node", "-f", "r.json", "-o", "r.html"],
    ],
    { cwd: honest.folder, env: { SSH_AUTH_SOCK: undefined, XDG_CACHE_HOME: honest.folder } },
  );
  expect(exitCode).toBe(1);
  expect(stderr.match(/failed: its counts cannot be read/g)).toHaveLength(2);
  expect(stderr).toContain("no connect has the count Infinity");
  expect(stderr).not.toMatch(/[\0-\x09\x0b-\x1f]/);
  const reduced = JSON.parse(readFileSync(join(honest.folder, "r.json"), "utf8"));
  expect(reduced).toMatchObject([{ date: "2023-11-14", connect: [{ src_ip: "192.0.2.1", count: 2 }] }]);
});
