import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { MapperPool } from "../../../lib/remote/mapper-pool.ts";
import { mapNode } from "../../../lib/remote/map-node.ts";
import type { SshError } from "../../../lib/ssh/ssh-error.ts";
import { fetchMark, isListing, listingOf, makeLab } from "../../support/remote.ts";
import { makeTempDir } from "../../support/run.ts";
import { type Asked, startFakeServer } from "../../support/ssh-server.ts";

const EVENT =
  '{"eventid":"cowrie.session.connect","src_ip":"203.0.113.9","src_port":1,"dst_port":2222,"session":"a1b2c3d4e5f6",' +
  '"protocol":"ssh","sensor":"pot","timestamp":"2026-01-01T00:00:00.000000Z"}\n';

/** Let a server answer listings and requests by functions, and map its logs; twice, with the same threads. */
async function against(listing: string, onFetch: (asked: Asked, mark: string) => void) {
  await using dir = await makeTempDir();
  await using server = await startFakeServer({
    onScript: asked => (isListing(asked) ? asked.answer(listing) : onFetch(asked, fetchMark(asked))),
  });
  await using lab = await makeLab();
  await Bun.write(lab.known, server.knownHosts);
  using pool = new MapperPool(1);
  const outcomes = [];
  for (let i = 0; i < 2; i++) {
    outcomes.push(
      await lab
        .at({ port: server.port, user: "pot" }, connection =>
          mapNode(connection, {
            name: "node",
            tables: join(dir.path, "a/b/tables"),
            paths: ["~/logs"],
            sudo: false,
            parameters: { robotMaxSeconds: 5 },
            isFresh: false,
            hasLineHashes: false,
            keepDuplicates: false,
            rejects: undefined,
            pool,
            requests: 1,
            show() {},
            note() {},
          }),
        )
        .then(
          value => ({ value, fault: undefined }),
          (error: unknown) => ({ value: undefined, fault: (error as SshError).fault }),
        ),
    );
  }
  const files = [...new Bun.Glob("**/*").scanSync({ cwd: dir.path, dot: true })].sort();
  return { outcomes, files };
}

describe("mapNode against a hostile server", () => {
  const listing = listingOf([{ path: "/logs/cowrie.json", size: EVENT.length }]);

  test("a log that comes whole is mapped once, wherever its name leads", async () => {
    const odd = listingOf([{ path: "/logs/../../../cowrie.json", size: EVENT.length }]);
    let asked = 0;
    const { outcomes, files } = await against(odd, ({ answer }, mark) => {
      asked++;
      answer(`${EVENT}\n${mark} 0 \n`);
    });
    expect(outcomes.map(({ value }) => [value?.logs.length, value?.reused, value?.counts.events])).toEqual([
      [1, 0, 1],
      [1, 1, 1],
    ]);
    expect(asked).toBe(1);
    expect(files).toEqual(["a/b/tables/%2E./%2E./%2E./cowrie.json.arrow"]);
  });

  test("the same events as lines and as a JSON array count once", async () => {
    const array = `[${EVENT.trimEnd()}]\n`;
    const two = listingOf([
      { path: "/logs/cowrie.json", size: EVENT.length },
      { path: "/logs/cowrie.json.2", size: array.length },
    ]);
    const { outcomes } = await against(two, ({ answer }, mark) => {
      answer(`${EVENT}\n${mark} 0 \n${array}\n${mark} 1 \n`);
    });
    expect(outcomes.map(({ value, fault }) => [fault, value?.logs.length, value?.leftOut, value?.counts.events])).toEqual([
      [undefined, 1, 1, 1],
      [undefined, 1, 1, 1],
    ]);
  });

  const BAD: [name: string, fault: string, onFetch: (asked: Asked, mark: string) => void][] = [
    ["more than was told", "garbage", ({ answer }) => answer(EVENT.repeat(3))],
    ["an end that is none", "lost", ({ answer }) => answer(EVENT.slice(0, 40))],
  ];
  test.each(BAD)("%s leaves nothing behind, and the thread to the next one", async (_, fault, onFetch) => {
    const { outcomes, files } = await against(listing, onFetch);
    expect([outcomes.map(outcome => outcome.fault), files]).toEqual([[fault, fault], []]);
  });

  test("after an answer that was none the same thread maps the next one", async () => {
    let asked = 0;
    const { outcomes } = await against(listing, ({ answer }, mark) => {
      answer(++asked === 1 ? EVENT.repeat(3) : `${EVENT}\n${mark} 0 \n`);
    });
    expect(outcomes.map(({ fault, value }) => [fault, value?.counts.events])).toEqual([
      ["garbage", undefined],
      [undefined, 1],
    ]);
  });

  test("a node that packs badly", async () => {
    const { outcomes, files } = await against(listing.replace("000", "100"), ({ answer }) => answer("no zstd at all"));
    expect([outcomes.map(({ fault }) => fault), files]).toEqual([["garbage", "garbage"], []]);
  });

  test("a log that is shorter than it was said to be", async () => {
    const { outcomes, files } = await against(listing, ({ answer }, mark) => answer(`short\n${mark} 0 \n`));
    expect(outcomes).toHaveLength(2);
    for (const { value } of outcomes) {
      expect(value).toMatchObject({
        logs: [],
        failed: [{ path: "/logs/cowrie.json", reason: "it changes while it is read" }],
      });
    }
    expect(files).toEqual([]);
  });
});
