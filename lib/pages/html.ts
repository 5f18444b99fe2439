/**
 * Pages that are one file: templates rendered with style, script and data inside, and a Content-Security-Policy that
 * lets exactly those run. Nothing is fetched, and nothing an attacker wrote is markup.
 */
import { createHash } from "node:crypto";
import Mustache from "mustache";

/**
 * JSON that can sit inside `<script type="application/json">`.
 *
 * `<`, `>` and `&` become `\u003c` and so on, so no value can close the element or open a comment; U+2028 and U+2029
 * likewise, which older readers take for line ends. `JSON.parse` gives back the same value.
 */
export function toScriptJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
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
  return Mustache.render(template, { ...view, style, script, csp }, partials);
}

/** A script that cannot close its own element. */
function toInlineScript(script: string): string {
  return script.replace(/<\/(?=script)/gi, "<\\/").replaceAll("<!--", "<\\!--");
}
