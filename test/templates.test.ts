import { describe, expect, spyOn, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Mustache from "mustache";
import { bundleScript } from "../lib/pages/client-script.ts";

const FOLDER = join(import.meta.dir, "..", "templates");
const TEMPLATES = readdirSync(FOLDER).filter(name => name.endsWith(".mustache"));

/** The only things that are put into a page as they are; every one is made by us. */
const UNESCAPED = new Set(["style", "script", "dataJson", "svg", "markup"]);

/** The colours of a theme, by variable. */
function readColours(style: string, start: string): Map<string, string> {
  const block = style.slice(style.indexOf(start));
  return new Map(
    [...block.slice(0, block.indexOf("}")).matchAll(/--([a-z0-9]+): (#[0-9a-f]{6})/g)].map(m => [m[1]!, m[2]!]),
  );
}

/** Contrast after WCAG 2: 1 to 21. */
function contrast(a: string, b: string): number {
  const luminance = (colour: string) => {
    const [red, green, blue] = [1, 3, 5]
      .map(at => parseInt(colour.slice(at, at + 2), 16) / 255)
      .map(value => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

describe("colours", () => {
  const style = readFileSync(join(FOLDER, "page.css"), "utf8");
  const themes = [
    ["light", readColours(style, ":root {")],
    ["dark", readColours(style, ':root[data-theme="dark"]')],
  ] as const;

  test.each(themes)("%s: text and labels of lines are read on the page and on what is marked", (_, colours) => {
    const texts = ["ink", "soft", "accent", "bad", "good", "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];
    const faint = texts.flatMap(name =>
      ["page", "card", "faint"].flatMap(ground => {
        const value = contrast(colours.get(name)!, colours.get(ground)!);
        // Labels of lines stand on the page alone.
        return value < 4.5 && !(name.startsWith("c") && ground === "faint")
          ? [`${name} on ${ground}: ${value.toFixed(2)}`]
          : [];
      }),
    );
    expect(faint).toEqual([]);
  });

  test.each(themes)("%s: the shades of the heat map go one way", (name, colours) => {
    const values = ["h1", "h2", "h3", "h4", "h5", "h6", "h7"].map(shade =>
      contrast(colours.get(shade)!, colours.get("page")!),
    );
    expect({ name, values }).toEqual({ name, values: [...values].sort((a, b) => a - b) });
  });

  test("both ways into the dark use the same colours", () => {
    expect(readColours(style, ':root:not([data-theme="light"])')).toEqual(themes[1][1]);
  });
});

describe("templates", () => {
  test("are found", () => {
    expect(TEMPLATES.length).toBeGreaterThan(5);
  });

  test.each(TEMPLATES)("%s puts nothing unescaped into the page but what we made", name => {
    const text = readFileSync(join(FOLDER, name), "utf8");
    const names = [...text.matchAll(/\{\{\{\s*([^}]*?)\s*\}\}\}|\{\{&\s*([^}]*?)\s*\}\}/g)].map(
      match => match[1] ?? match[2]!,
    );
    expect(names.filter(found => !UNESCAPED.has(found))).toEqual([]);
  });

  test.each(TEMPLATES)(
    "%s has no style attribute, no handler, no address of another host, and quotes every value",
    name => {
      const text = readFileSync(join(FOLDER, name), "utf8");
      expect(text.match(/\sstyle\s*=|\son[a-z]+\s*=|https?:|=\{\{|set delimiter|\{\{=/g)).toBeNull();
    },
  );

  test.each(TEMPLATES)("%s is a sound template", name => {
    expect(() => Mustache.parse(readFileSync(join(FOLDER, name), "utf8"))).not.toThrow();
  });

  test("the style fetches nothing", () => {
    const style = readFileSync(join(FOLDER, "page.css"), "utf8");
    expect(style.match(/@import|url\((?!#)/g)).toBeNull();
  });

  test("no script makes markup out of text", () => {
    const names = readdirSync(FOLDER).filter(name => name.endsWith(".js"));
    expect(names.length).toBeGreaterThan(1);
    const script = names.map(name => readFileSync(join(FOLDER, name), "utf8")).join("\n");
    expect(
      script.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|DOMParser/g),
    ).toBeNull();
  });
});

test("a page's script is put together once for a state of the program", async () => {
  const script = await bundleScript("chains.js");
  const build = spyOn(Bun, "build");
  try {
    expect(await bundleScript("chains.js")).toBe(script);
    expect(build).not.toHaveBeenCalled();
  } finally {
    build.mockRestore();
  }
});
