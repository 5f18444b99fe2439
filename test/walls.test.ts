/**
 * The walls of `lib/`: rooms in order, nothing imported from a room further up, no circle, and `view/` runs in a browser
 * as it stands.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { listScripts } from "../lib/process/scripts.ts";
import { ROOT, run } from "./support/run.ts";

/** The rooms, bottom up: a room imports from those before it. The one place that says their order. */
const ROOMS = [
  "text",
  "columns",
  "process",
  "origin",
  "ssh",
  "recordings",
  "kernel",
  "events",
  "reduced",
  "logs",
  "statistics",
  "history",
  "sessions",
  "campaigns",
  "indicators",
  "remote",
  "view",
  "pages",
  "digest",
];

const LIB = join(ROOT, "lib");

/** One import, as it stands in a file of `lib`. */
interface Import {
  /** Relative to `lib`, as `target` is where it lies there. */
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly specifier: string;
  /** Relative to `lib`; undefined for a package, `node:` or Bun. */
  readonly target: string | undefined;
  /** Whether the compiler erases it: then it costs nothing at run time, but the walls hold all the same. */
  readonly isType: boolean;
}

const FILES = readdirSync(LIB, { recursive: true, encoding: "utf8" }).filter(file => file.endsWith(".ts"));
const IMPORTS = FILES.flatMap(listImports);

function listImports(file: string): Import[] {
  const source = readFileSync(join(LIB, file), "utf8");
  const found = source.matchAll(/^(?:import|export)\b(?<head>[^"';()=]*?)(?:from\s*)?"(?<name>[^"]+)"|\bimport\(\s*"(?<late>[^"]+)"/gm);
  return [...found].map(({ index, groups, 0: text }) => {
    const specifier = (groups!.name ?? groups!.late)!;
    return {
      file,
      line: source.slice(0, index).split("\n").length,
      text: text.replace(/\s+/g, " "),
      specifier,
      target: specifier.startsWith(".") ? relative(LIB, join(LIB, dirname(file), specifier)) : undefined,
      isType: /^\s*type\b/.test(groups!.head ?? ""),
    };
  });
}

const roomOf = (file: string) => file.split("/")[0]!;
const show = ({ file, line, text }: Import) => `lib/${file}:${line}: ${text}`;

/** Files that reach themselves by imports that are there at run time, each circle once, by its first file. */
function listCircles(imports: readonly Import[]): string[] {
  const targets = new Map<string, string[]>();
  for (const { file, target, isType } of imports) {
    if (target !== undefined && !isType) targets.set(file, [...(targets.get(file) ?? []), target]);
  }
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    const at = path.indexOf(file);
    if (at >= 0) circles.push([...path.slice(at), file].join(" → "));
    if (at >= 0 || done.has(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
  return circles;
}

describe("lib", () => {
  test("imports are found at all", () => {
    expect(IMPORTS.length).toBeGreaterThan(FILES.length);
    expect(IMPORTS.some(({ text }) => text.startsWith("import("))).toBe(true);
  });

  test("holds rooms only, each of them known", () => {
    expect(readdirSync(LIB).sort()).toEqual([...ROOMS].sort());
  });

  test("no room imports from one further up", () => {
    const level = (file: string) => ROOMS.indexOf(roomOf(file));
    const upward = IMPORTS.filter(({ file, target }) => target !== undefined && level(target) > level(file));
    expect(upward.map(show)).toEqual([]);
  });

  test("imports nothing but itself, packages, the project's own version, and templates into pages", () => {
    const isOutside = ({ file, target }: Import) =>
      target?.startsWith("..") === true &&
      target !== "../package.json" &&
      !(roomOf(file) === "pages" && target.startsWith("../templates/"));
    expect(IMPORTS.filter(isOutside).map(show)).toEqual([]);
  });

  test("has no circle", () => {
    const between = (file: string, target: string): Import => ({ ...IMPORTS[0]!, file, target, isType: false });
    expect(listCircles([between("a", "b"), between("b", "c"), between("c", "b")])).toEqual(["b → c → b"]);
    expect(listCircles(IMPORTS)).toEqual([]);
  });

  test("view/ runs in a browser: it names no module of Node and no part of Bun, nor does what it takes from others", async () => {
    const views = FILES.filter(file => roomOf(file) === "view");
    expect(views.length).toBeGreaterThan(10);
    const isServers = (line: string) => /"(?:node:[\w/]+|bun)"|\bBun\.|\bprocess\.(?!$)/.test(line);
    const named = views.flatMap(file => {
      const lines = readFileSync(join(LIB, file), "utf8").split("\n");
      return lines.flatMap((line, i) => (isServers(line) ? [`lib/${file}:${i + 1}: ${line.trim()}`] : []));
    });
    expect(named).toEqual([]);
    // What a file beside it holds for the server alone is left out of the bundle, and so is no harm.
    const entrypoints = views.map(file => join(LIB, file));
    const { outputs, success } = await Bun.build({ entrypoints, target: "browser", splitting: true, minify: { whitespace: false } });
    const bundled = (await Promise.all(outputs.map(output => output.text()))).join("\n").split("\n");
    expect({ success, lines: bundled.filter(isServers) }).toEqual({ success: true, lines: [] });
  });

  test("every module has a test of its name, or its head names the one that covers it", () => {
    const isCovered = (file: string) => {
      if (existsSync(join(ROOT, "test/lib", file.replace(/\.ts$/, ".test.ts")))) return true;
      const head = readFileSync(join(LIB, file), "utf8").slice(0, 2000);
      const named = [...head.matchAll(/`?(test\/[\w/-]+\.test\.ts)`?/g)].map(([, path]) => path!);
      return named.length > 0 && named.every(path => existsSync(join(ROOT, path)));
    };
    expect(FILES.filter(file => !file.endsWith(".d.ts") && !isCovered(file))).toEqual([]);
  });

  test("base names are unique", () => {
    const names = FILES.map(file => file.split("/").at(-1)!);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  test("what is exported has one meaning: no two modules export the same name", () => {
    const homes = new Map<string, string[]>();
    for (const file of FILES.filter(file => !file.includes("/assembly/"))) {
      const declared = readFileSync(join(LIB, file), "utf8").matchAll(/^export (?:abstract |async )*(?:function\*?|const|class|interface|type) (\w+)/gm);
      // Of an overloaded function each form is one.
      for (const name of new Set([...declared].map(([, name]) => name!))) homes.set(name, [...(homes.get(name) ?? []), `lib/${file}`]);
    }
    expect(homes.size).toBeGreaterThan(500);
    expect([...homes].filter(([, files]) => files.length > 1)).toEqual([]);
  });
});

test("a script that has nothing to do yet loads no package, and no page", async () => {
  const scripts = JSON.stringify(listScripts().map(name => join(ROOT, "scripts", `${name}.ts`)));
  const loaded = `for (const script of ${scripts}) await import(script); console.log(Object.keys(require.cache).join("\\n"))`;
  const { exitCode, stdout } = await run([process.execPath, "-e", loaded]);
  expect(exitCode).toBe(0);
  const files = stdout.trim().split("\n");
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter(file => /node_modules|\/templates\/|-page\.ts$|pages\/report\.ts$/.test(file))).toEqual([]);
});
