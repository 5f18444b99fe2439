import { describe, expect, test } from "bun:test";
import { renderPage, toContentSecurityPolicy, toCspHash, toScriptJson } from "../../../lib/pages/html.ts";
import { element, escapeHtml, toMarkupText } from "../../../lib/view/markup.ts";

describe("toScriptJson", () => {
  const CASES: { name: string; value: unknown }[] = [
    { name: "end of script", value: "</script><script>alert(1)</script>" },
    { name: "comment that opens a second script", value: "<!--<script>" },
    { name: "line separators", value: "\u2028\u2029" },
    { name: "controls", value: "\0\u001b[2J\u007f\u009b31m\r" },
    { name: "lone surrogate", value: "\ud800" },
    { name: "own keys named __proto__", value: JSON.parse('{"__proto__":{"a":"&"},"b":null}') },
  ];
  test.each(CASES)("$name comes back and holds no markup", ({ value }) => {
    const json = toScriptJson(value);
    expect(json).not.toMatch(/[<>&\u2028\u2029\0-\x1f\x7f-\x9f]/);
    expect(JSON.parse(json)).toEqual(value);
  });
});

describe("toContentSecurityPolicy", () => {
  test("lets nothing in but the given style and script", () => {
    expect(toContentSecurityPolicy("a{}", "f()")).toBe(
      "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; " +
        `style-src ${toCspHash("a{}")}; script-src ${toCspHash("f()")}`,
    );
  });

  test("without a script none may run", () => {
    expect(toContentSecurityPolicy("a{}", "")).toEndWith("script-src 'none'");
  });

  test("the hash is the one browsers compute", () => {
    expect(toCspHash("alert('Hello, world.');")).toBe("'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='");
  });
});

describe("renderPage", () => {
  const page = "<style>{{{style}}}</style><p>{{text}}</p><script>{{{script}}}</script>{{csp}}";

  test("text that looks like a template stays text", () => {
    const html = renderPage(page, { text: "{{{script}}} {{#a}} <b>" }, {}, { style: "", script: "f()" });
    expect(html).toContain("<p>{{{script}}} {{#a}} &lt;b&gt;</p>");
  });

  test("no control character but tab and line feed stands in a page, whoever forgot to show it", () => {
    const text = "a\0\u001b[2J\u007f\u009b31m\r\tb\nc";
    const shown = "a\\x00\\x1b[2J\\x7f\\x9b31m\\r\tb\nc";
    expect(renderPage(page, { text }, {}, { style: "", script: "f()" })).toContain(`<p>${shown}</p>`);
    expect(toMarkupText(element("p", { title: text }, text))).toBe(`<p title="${shown}">${shown}</p>`);
  });

  test("nor at its second try", () => {
    const script = '"</script>"; "</SCRIPT >"; "<!--<!--"';
    const html = renderPage(page, { text: "" }, {}, { style: "", script });
    expect(html).toContain('<script>"<\\/script>"; "<\\/SCRIPT >"; "<\\!--<\\!--"</script>');
  });

  test("a script cannot end its element, and the hash is that of the text in the page", () => {
    const html = renderPage(page, { text: "" }, {}, { style: "a{}\r\n", script: 'x = "</script><!--";\r\n' });
    expect(html).toContain('<script>x = "<\\/script><\\!--";\n</script>');
    const inline = 'x = "<\\/script><\\!--";\n';
    expect(html.replaceAll("&#x3D;", "=").replaceAll("&#x2F;", "/").replaceAll("&#39;", "'")).toContain(
      toCspHash(inline),
    );
  });
});

describe("toMarkupText", () => {
  test("escapes children and values, leaves out what is undefined or false", () => {
    const node = element(
      "text",
      { class: `a"b'<`, x: 1, y: undefined, hidden: true, open: false },
      "<&>",
      element("title"),
    );
    expect(toMarkupText(node)).toBe('<text class="a&quot;b&#39;&lt;" x="1" hidden="">&lt;&amp;&gt;<title></title></text>');
  });

  test("an element without children ends as its kind does", () => {
    const picture = element("svg", {}, element("g", {}, element("title")));
    expect(toMarkupText([element("input", { type: "text" }), picture, element("td"), "<"])).toBe(
      '<input type="text"><svg><g><title/></g></svg><td></td>&lt;',
    );
  });

  test("escapeHtml() leaves other characters as they are", () => {
    expect(escapeHtml("a{{b}}\u202e")).toBe("a{{b}}\u202e");
  });
});
