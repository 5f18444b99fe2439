import { describe, expect, test } from "bun:test";
import { UsageError } from "../../../lib/process/command.ts";
import { listJobs, nextRun, parseSchedule, toCronLine, toShellWord, withJob, withoutJob } from "../../../lib/process/crontab.ts";
import { unescapeCommand } from "../../support/crontab.ts";
import { run } from "../../support/run.ts";

const SCHEDULES: [text: string, schedule: string][] = [
  ["03:15", "15 3 * * *"], ["3:05", "5 3 * * *"], [" 23:59 ", "59 23 * * *"], ["00:00", "0 0 * * *"],
  [":20", "20 * * * *"], [":00", "0 * * * *"], ["mon 06:30", "30 6 * * 1"], ["Sunday 6:30", "30 6 * * 0"],
  ["@daily", "@daily"], ["@Hourly", "@hourly"], ["15 3 * * *", "15 3 * * *"], ["15  3 *\t* *", "15 3 * * *"],
  ["*/30 8-18/2 1,15 jan-mar,dec sat-sun", "*/30 8-18/2 1,15 1-3,12 6-7"], ["0 0 29 2 *", "0 0 29 2 *"],
  ["0 0 * * SUN,wed", "0 0 * * 0,3"],
];
test.each(SCHEDULES)("parseSchedule(%j) is %j", (text, schedule) => {
  expect(parseSchedule("--at", text)).toBe(schedule);
});

const NO_SCHEDULES = [
  "", "now", "24:00", "3:60", "3", "3:5", "mon :20", "xyz 03:15", "@reboot", "@", "60 3 * * *", "15 3 * *",
  "15 3 * * * *", "15 3 * * monday", "5/10 * * * *", "0 3 * * 5-1", "*/0 * * * *", "0 0 0 * *", "0 0 1 mai *",
  "15 3 * * *\nMAILTO=x", "15 3 * * $(x)", "H 3 * * *",
];
test.each(NO_SCHEDULES)("parseSchedule(%j) is refused", text => {
  expect(() => parseSchedule("--at", text)).toThrow(UsageError);
});

test("parseSchedule() knows days that never come", () => {
  expect(() => parseSchedule("--at", "0 0 30 feb *")).toThrow("that day never comes");
});

test("nextRun() tells the local time, and nothing for what it does not understand", () => {
  const after = new Date(2024, 1, 28, 4, 0);
  expect(nextRun("15 3 * * *", after)).toBe("Thu 2024-02-29 03:15");
  expect(nextRun("0 0 29 2 *", new Date(2024, 2, 1))).toBe("Tue 2028-02-29 00:00");
  expect(nextRun("@reboot", after)).toBeUndefined();
});

describe("toShellWord() and toCronLine()", () => {
  const words = [
    "plain/path.json", "", "a b", "it's", "'", "''", '"', "$HOME `id` $(id)", "100%", "%%", "\\", "\\\\", "\\%",
    "a\\%b%", "\\'%", "tail\\", "~", "*", "?[x]", "# no comment", "-q", "a=b", "ä 漢字 \u{1f41d}", "!x", "tab\there",
    ";|&<>(){}",
  ];

  test.each([
    ["Debian's", false],
    ["Vixie's first", true],
  ])("bring every word through %s cron and the shell", async (_name, dropsDouble) => {
    const command = ["printf", "%s\\n", ...words].map(toShellWord).join(" ");
    const line = toCronLine({ name: "words", schedule: "@daily", command });
    const seen = unescapeCommand(line.replace(/^@daily /, ""), dropsDouble);
    expect(await run(["/bin/sh", "-c", seen])).toMatchObject({
      stdout: words.map(word => `${word}\n`).join(""), stderr: "", exitCode: 0,
    });
  });

  test.each(["a\nb", "a\rb", "a\0b"])("refuse %j", word => {
    expect(() => toShellWord(word)).toThrow(UsageError);
  });

  test("refuse a name that is none", () => {
    for (const name of ["", "a b", "-a", "a\n", "a".repeat(41), "ä"]) {
      expect(() => toCronLine({ name, schedule: "@daily", command: "true" })).toThrow("Cannot use name");
    }
  });

  test("refuse what cron would cut off", () => {
    const fits = 998 - " # cowrie-longitudinal: x".length;
    toCronLine({ name: "x", schedule: "@daily", command: "y".repeat(fits) });
    expect(() => toCronLine({ name: "x", schedule: "@daily", command: "y".repeat(fits + 1) })).toThrow(
      new UsageError("Cannot schedule a command of 999 bytes: cron takes 998, expected shorter paths or a script"),
    );
  });
});

describe("lines of ours among others", () => {
  const job = (name: string, command: string) => toCronLine({ name, schedule: "15 3 * * *", command });
  const others = "MAILTO=a@example.org\n\n# 1 2 3 4 5 x # cowrie-longitudinal: a\n5 4 * * * echo 100\\%\xff \r\n";

  test("go to the end and away again", () => {
    for (const table of ["", others, "\n", "# no line end\n"]) {
      const one = withJob(table, job("a", "true"));
      const two = withJob(one, job("b", "false"));
      expect(two).toBe(`${table}${job("a", "true")}\n${job("b", "false")}\n`);
      expect(withoutJob(withoutJob(two, "a"), "b")).toBe(table);
    }
  });

  test("a last line without its end is kept", () => {
    expect(withJob("5 4 * * * true", job("a", "true"))).toBe(`5 4 * * * true\n${job("a", "true")}\n`);
  });

  test("replace the line of their name where it stands, and its copies", () => {
    const table = `x\n${job("a", "1")}\ny\n${job("a", "2")}\nz\n`;
    expect(withJob(table, job("a", "3"))).toBe(`x\n${job("a", "3")}\ny\nz\n`);
    expect(withJob(`${job("a", "3")}\n`, job("a", "3"))).toBe(`${job("a", "3")}\n`);
  });

  test("are told from those that only look like it", () => {
    const table = [
      job("a", "x # y"), "# 1 2 3 4 5 x # cowrie-longitudinal: b", "* * * * * x # cowrie-longitudinal: two words",
      "@daily y # cowrie-longitudinal: c", "* * * * * echo cowrie-longitudinal: d", "",
    ].join("\n");
    expect(listJobs(table)).toEqual([
      { name: "a", schedule: "15 3 * * *", command: "x # y", line: job("a", "x # y") },
      { name: "c", schedule: "@daily", command: "y", line: "@daily y # cowrie-longitudinal: c" },
    ]);
    expect(withoutJob(table, "b")).toBe(table);
  });
});
