import { expect, test } from "bun:test";
import { nameCampaign } from "../../../lib/campaigns/campaign-name.ts";

type Named = Parameters<typeof nameCampaign>[0];

const name = (given: { [K in keyof Named]?: unknown }) =>
  nameCampaign({ sessions: 20, keys: [], paths: [], chains: [], hashes: [], hosts: [], ...given } as Named);
const chain = (...commands: string[]) => [{ commands, sessions: 20 }];

test("the word behind a key comes first, but for an address of mail", () => {
  const rest = { paths: [{ value: "/bot.sh", sessions: 20 }] };
  expect(name({ ...rest, keys: [{ comment: "a@b" }, { comment: undefined }, { comment: "mdrfckr" }] })).toBe("mdrfckr");
  expect(name({ ...rest, keys: [{ comment: "a@b" }] })).toBe("bot.sh");
});

test("a file that a tenth of the sessions have at least, without its architecture", () => {
  expect(name({ paths: [{ value: "/rare.sh", sessions: 1 }, { value: "/x/bins.sh", sessions: 2 }] })).toBe("bins.sh");
  expect(name({ paths: [{ value: "/rare.sh", sessions: 1 }], chains: chain("wget http://<host>/fetched.sh") })).toBe("fetched.sh");
  expect(name({ hashes: [{ value: "ab", name: "rare", sessions: 1 }, { value: "cd", name: "sent", sessions: 2 }] })).toBe("sent");
});

test("else the first command that is not everybody's, else the longest of those", () => {
  expect(name({ chains: chain("uname -a", "lockr -ia .ssh\nsecond line", "other") })).toBe("lockr -ia .ssh");
  expect(name({ chains: chain("id", "uname -a") })).toBe("uname -a");
});

test("else its host, its file, its key; and a name there always is", () => {
  expect(name({ hosts: [{ value: "203.0.113.7" }], hashes: [{ value: "ab".repeat(32), sessions: 1 }] })).toBe("203.0.113.7");
  expect(name({ hashes: [{ value: "ab".repeat(32), sessions: 1 }] })).toBe("ab".repeat(8));
  expect(name({ keys: [{ fingerprint: "SHA256:x" }] })).toBe("SHA256:x");
  expect(name({})).toBe("unnamed");
});
