import { describe, expect, test } from "bun:test";
import { besideReport, linkPages, reportPaths } from "../../../lib/pages/page-names.ts";

describe("what lies beside a report", () => {
  const NAMES: [report: string, stats: string][] = [
    ["result.html", "stats.html"],
    ["web/result.html", "web/stats.html"],
    ["web/ams.html", "web/ams-stats.html"],
    ["/a/b.c.HTM", "/a/b.c-stats.html"],
    ["../report", "../report-stats.html"],
    ["my report.html", "my report-stats.html"],
    ["web/.html", "web/stats.html"],
    ["-", "stats.html"],
  ];
  test.each(NAMES)("%s: %s", (report, stats) => expect(besideReport(report, "stats.html")).toBe(stats));

  test("counts lie there too, unless they are named", () => {
    expect(reportPaths("web/ams.html")).toEqual({
      json: "web/ams-reduced.json",
      arrow: "web/ams-reduced.arrow",
      result: "web/ams.html",
      stats: "web/ams-stats.html",
    });
    expect(reportPaths("web/ams.html", "c/all.json")).toMatchObject({ json: "c/all.json", arrow: "c/all.arrow" });
  });
});

describe("links between the pages", () => {
  test("are names in the same folder, whatever they hold", () => {
    expect(linkPages(reportPaths("web/ams.html"))).toEqual({ statsLink: "ams-stats.html", reportLink: "ams.html" });
    expect(linkPages(reportPaths('a/javascript:"#?é.html'))).toEqual({
      statsLink: "javascript%3A%22%23%3F%C3%A9-stats.html",
      reportLink: "javascript%3A%22%23%3F%C3%A9.html",
    });
  });

  test("are none on standard output", () => expect(linkPages(reportPaths("-"))).toEqual({}));
});
