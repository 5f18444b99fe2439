import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Mustache from "mustache";

const FOLDER = join(import.meta.dir, "..", "templates");
const TEMPLATES = readdirSync(FOLDER).filter(name => name.endsWith(".mustache"));

/** The only things that are put into a page as they are; every one is made by us. */
const UNESCAPED = new Set(["style", "script", "dataJson", "svg"]);

describe("templates", () => {
  test("are found", () => {
    expect(TEMPLATES.length).toBeGreaterThan(5);
  });

  test.each(TEMPLATES)("%s puts nothing unescaped into the page but what we made", name => {
    const text = readFileSync(join(FOLDER, name), "utf8");
    const names = [...text.matchAll(/\{\{\{\s*([^}]*?)\s*\}\}\}|\{\{&\s*([^}]*?)\s*\}\}/g)].map(match => match[1] ?? match[2]!);
    expect(names.filter(found => !UNESCAPED.has(found))).toEqual([]);
  });

  test.each(TEMPLATES)("%s has no style attribute, no handler, no address of another host, and quotes every value", name => {
    const text = readFileSync(join(FOLDER, name), "utf8");
    expect(text.match(/\sstyle\s*=|\son[a-z]+\s*=|https?:|=\{\{|set delimiter|\{\{=/g)).toBeNull();
  });

  test.each(TEMPLATES)("%s is a sound template", name => {
    expect(() => Mustache.parse(readFileSync(join(FOLDER, name), "utf8"))).not.toThrow();
  });

  test("the style fetches nothing", () => {
    const style = readFileSync(join(FOLDER, "report.css"), "utf8");
    expect(style.match(/@import|url\((?!#)/g)).toBeNull();
  });

  test("the page script makes no markup out of text", () => {
    const script = readFileSync(join(FOLDER, "report.js"), "utf8");
    expect(script.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|DOMParser/g)).toBeNull();
  });
});
