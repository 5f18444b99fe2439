/** What attackers write where a name is expected, each fit to break one careless way of making a page. */
import { isTextKey, type KeyColumn, KIND_NAMES, KINDS, REDUCED_VERSION } from "../../lib/reduced/kinds.ts";
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import { buildReduced, type LiteralRow } from "../support/build.ts";

export const HOSTILE_TEXTS: readonly string[] = [
  "<script>alert(1)</script>",
  "</script><script>alert(2)</script>",
  "<!--<script>",
  "--><img src=x onerror=alert(3)>",
  "<svg onload=alert(4)>",
  "]]><svg/onload=alert(5)>",
  "<![CDATA[<script>alert(6)</script>]]>",
  '"><img src=x onerror=alert(7)>',
  "' onmouseover='alert(8)",
  "</style><script>alert(9)</script>",
  "</title><script>alert(10)</script>",
  "</textarea><iframe src=javascript:alert(11)></iframe>",
  "{{{script}}} {{{dataJson}}} {{#rows}}{{count}}{{/rows}} {{>row}}",
  "${alert(12)} #{alert(13)} <%= alert(14) %>",
  "javascript:alert(15)",
  "data:text/html,<script>alert(16)</script>",
  "https://evil.example/?<b>bold</b>",
  "//evil.example/x.js",
  "url(https://evil.example/x.png)",
  '=HYPERLINK("https://evil.example","click")',
  "@SUM(1+1)*cmd|' /C calc'!A0",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "\u202egnp.exe\u202c \u2066x\u2069 \u200b\u200d\ufeff",
  "\u001b[2J\u001b]0;owned\u0007 \u0000 \r\n\t\u007f\u009b31m",
  "\ud800 lone \udc00",
  "\u2028\u2029",
  "Z\u0335\u0321\u0322\u0327\u0328a\u0336\u0310\u0352\u0301l\u0334\u0346go",
  "+1+1|' /C calc'!A0",
  "-2+3",
  "\t=1+1",
  "\ufe662+5+cmd|' /C calc'!A0",
  "\u3164=1 \u2028@SUM(1) \u2800\u22121",
  "\r\n@SUM(1)",
  "first line\nsecond line\rthird line",
  "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 rm -rf /tmp \u05e2\u05d5\u05dc\u05dd",
  "{{constructor.constructor('alert(21)')()}}",
  "valueOf",
  "\u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u{1f3f4}\u{e0067}\u{e007f} \uff1d1",
  "javascript:/*--></title></style></textarea></script><svg/onload='+/\"/+/onmouseover=1/+/[*/[]/+alert(22)//'>",
  `x${"W".repeat(3000)}`,
  "&lt;script&gt;alert(17)&lt;/script&gt; &amp;amp; &#x3c;",
  "",
  " ",
  "%3Cscript%3Ealert(18)%3C/script%3E",
  `${"A".repeat(1_000_000)}<script>alert(19)</script>`,
];

/** Every hostile text in every text column of every kind, and as the sensors' names. */
export function buildHostile(): ReducedTable {
  const rows: LiteralRow[] = [];
  HOSTILE_TEXTS.forEach((text, i) => {
    for (const kind of KIND_NAMES) {
      const key: LiteralRow["key"] = {};
      KINDS[kind].forEach((column: KeyColumn) => (key[column] = isTextKey(column) ? text : i % 2));
      // A sensor's name of a megabyte helps nobody: cut here, whole in the keys.
      const sensor = text.slice(0, 60);
      for (const date of ["2024-01-01", "2024-01-03"]) {
        rows.push({ kind, date, sensor, key, count: HOSTILE_TEXTS.length - i, success: kind === "login" ? 1 : 0 });
      }
    }
  });
  const info = {
    version: REDUCED_VERSION,
    parameters: { robotMaxSeconds: 10 },
    sources: HOSTILE_TEXTS.slice(0, -1).map(text => ({
      path: `logs/${text}`,
      sizeBytes: 1,
      headHash: "",
      wholeHash: "",
      counts: { lines: 1, events: 1, repaired: 0, rejected: 0, pending: 0 },
      damage: text,
    })),
  };
  return buildReduced(rows, info);
}
