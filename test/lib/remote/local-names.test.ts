import { describe, expect, test } from "bun:test";
import { placeLogs, safeLocalPath, safeName } from "../../../lib/remote/local-names.ts";

describe("safeName", () => {
  const NAMES: [name: string, safe: string][] = [
    ["cowrie.json.2024-01-31", "cowrie.json.2024-01-31"],
    ["..", "%2E."],
    [".hidden", "%2Ehidden"],
    ["-rf", "%2Drf"],
    ["a b'\"\n", "a%20b%27%22%0A"],
    ["a/b", "a%2Fb"],
    ["\xff", "%FF"],
    ["%2F", "%252F"],
    ["$(id)", "%24%28id%29"],
  ];
  test.each(NAMES)("%j becomes %s", (name, safe) => expect(safeName(name)).toBe(safe));

  test("long names are cut and stay different", () => {
    const [a, b] = [safeName(`${"x".repeat(300)}a`), safeName(`${"x".repeat(300)}b`)];
    expect([a.length, b.length, a === b]).toEqual([150, 150, false]);
  });

  test("safeLocalPath() keeps folders apart and never leaves its own", () => {
    expect(safeLocalPath({ path: "/a/b/c/cowrie.json", root: "/a/b" }, true)).toBe("c/cowrie.json");
    expect(safeLocalPath({ path: "/a/b/c/cowrie.json", root: "/a/b" }, false)).toBe("a_b/c/cowrie.json");
    expect(safeLocalPath({ path: "/a/b/../../etc/cowrie.json", root: "/a/b" }, true)).toBe("%2E./%2E./etc/cowrie.json");
    expect(safeLocalPath({ path: "/etc/x", root: "/a" }, true)).toBe("x");
    expect(safeLocalPath({ path: "/a//b/cowrie.json", root: "/a/" }, true)).toBe("b/cowrie.json");
    expect(safeLocalPath({ path: "/cowrie.json", root: "/" }, true)).toBe("cowrie.json");
  });
});

describe("placeLogs", () => {
  const placed = (paths: readonly (readonly [root: string, path: string])[]) => {
    const notes: string[] = [];
    const logs = paths.map(([root, path]) => ({ root, path }));
    const { paths: places, failed } = placeLogs(logs, "out", text => notes.push(text));
    return { places: logs.map(log => places.get(log)), failed, notes };
  };

  test("logs keep their names where these are different here as well", () => {
    const { places, failed, notes } = placed([
      ["/a/b", "/a/b/cowrie.json"],
      ["/a/c", "/a/c/cowrie.json"],
      ["/a/c", "/a/c/d/cowrie.json.1"],
    ]);
    expect(places).toEqual(["out/a_b/cowrie.json", "out/a_c/cowrie.json", "out/a_c/d/cowrie.json.1"]);
    expect([failed, notes]).toEqual([[], []]);
  });

  test("those of one name are kept apart, under the same names in whatever order and company", () => {
    const [one, two, other] = [
      ["/a_b", "/a_b/cowrie.json"],
      ["/a/b", "/a/b/cowrie.json"],
      ["/a/b", "/a/b/cowrie.json.1"],
    ] as const;
    const { places, notes } = placed([one, two, other]);
    expect(new Set(places).size).toBe(3);
    expect(places[2]).toBe("out/a_b/cowrie.json.1");
    expect(notes).toHaveLength(1);
    expect(placed([two, one]).places).toEqual([places[1], places[0]]);
  });

  test("thousands of deep paths that could all lie in each other take no time to speak of", () => {
    const deep = Array.from({ length: 2000 }, (_, i) => ["/r", `/r/${"a/".repeat(i)}cowrie.json`] as const);
    const { places, failed } = placed(deep);
    expect(places.filter(place => place !== undefined).length + failed.length).toBe(2000);
    expect(failed.length).toBeGreaterThan(0);
  });
});
