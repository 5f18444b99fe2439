/**
 * Pages that are one file: templates rendered with style, script and data inside, and a Content-Security-Policy that
 * lets exactly those run. Nothing is fetched, and nothing an attacker wrote is markup.
 */
import { createHash } from "node:crypto";
import Mustache from "mustache";
import { withoutControls } from "../text/text.ts";

/**
 * JSON that can sit inside `<script type="application/json">`.
 *
 * `<`, `>` and `&` become `\u003c` and so on, so no value can close the element or open a comment; U+2028 and U+2029
 * likewise, which older readers take for line ends, and what a terminal obeys (DEL, C1; the rest of the controls JSON
 * escapes itself). `JSON.parse` gives back the same value.
 */
export function toScriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\x7f-\x9f\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The source expression that lets one inline element run: the hash of the exact text between its tags. */
export function toCspHash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/**
 * A policy under which only the given inline style and script work and no request leaves the page.
 *
 * Images are `data:` alone, for what the page draws itself.
 */
export function toContentSecurityPolicy(style: string, script: string): string {
  return [
    "default-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "img-src data:",
    `style-src ${toCspHash(style)}`,
    `script-src ${script === "" ? "'none'" : toCspHash(script)}`,
  ].join("; ");
}

export interface PageAssets {
  readonly style: string;
  /** Classic script without import or export; "" for none. */
  readonly script: string;
}

/**
 * Render a page: `view` with `style`, `script` and `csp` added.
 *
 * @param partials Templates by the name they are included under; all are ours, none is built from data.
 */
export function renderPage(
  template: string,
  view: object,
  partials: Readonly<Record<string, string>>,
  assets: PageAssets,
): string {
  // The browser reads CRLF as LF before it hashes.
  const style = assets.style.replaceAll("\r\n", "\n");
  const script = toInlineScript(assets.script.replaceAll("\r\n", "\n"));
  const csp = toContentSecurityPolicy(style, script);
  // A page may be printed to a terminal, too.
  const escape = (text: unknown) => Mustache.escape(withoutControls(String(text)));
  return Mustache.render(template, { ...view, style, script, csp }, partials, { escape });
}

/** A script that cannot close its own element. */
function toInlineScript(script: string): string {
  return script.replace(/<\/(?=script)/gi, "<\\/").replaceAll("<!--", "<\\!--");
}
