import { describe, expect, test } from "bun:test";
import { PROGRAM } from "../../../lib/process/version.ts";
import { toIsoDay } from "../../../lib/text/format.ts";
import {
  COMMON_OPTIONS,
  type Command,
  HelpRequest,
  type OptionTable,
  toLongName,
  UsageError,
} from "../../../lib/process/command.ts";
import { helpText } from "../../../lib/process/help-text.ts";
import { parseDay } from "../../../lib/process/option-values.ts";
import { parseCommand } from "../../../lib/process/options.ts";

const COMMAND = {
  name: "sample",
  summary: "Show how options are read.",
  operands: [{ name: "PATH", help: 'Logs, folders, or "-" for stdin.', repeatable: true }],
  options: {
    path: { type: "path", short: "p", repeatable: true, help: "A log." },
    logfile: { type: "path", short: "f", default: "reduced.json", help: "Where the counts go." },
    topNEvents: { type: "count", short: "n", default: 5, help: "Entries per kind; 0 = all." },
    threshold: { type: "number", short: "t", default: 20, min: 0, help: "Smallest change shown." },
    offset: { type: "number", help: "Any number." },
    mode: { type: "choice", short: "m", choices: ["c", "w"], default: "c", help: "Continue or write afresh." },
    sessionId: { type: "string", short: ["s", "sid"], placeholder: "ID", help: "The session." },
    password: { type: "string", short: "pw", aliases: ["passwd"], help: "Login." },
    strict: { type: "boolean", short: "x", help: "Fail on rejects." },
    since: COMMON_OPTIONS.since,
    quiet: COMMON_OPTIONS.quiet,
  },
  writes: "nothing.",
  examples: [{ does: "The example logs:", run: "bun scripts/sample.ts test/fixtures/fleet" }],
} as const satisfies Command;

const DEFAULTS = {
  path: [] as string[],
  logfile: "reduced.json",
  topNEvents: 5,
  threshold: 20,
  offset: undefined as number | undefined,
  mode: "c",
  sessionId: undefined as string | undefined,
  password: undefined as string | undefined,
  strict: false,
  since: undefined as number | undefined,
  quiet: false,
};

const READ: { argv: string[]; values?: Partial<typeof DEFAULTS>; operands?: string[] }[] = [
  { argv: [] },
  { argv: ["--top-n-events", "7"], values: { topNEvents: 7 } },
  { argv: ["--top_n_events", "7"], values: { topNEvents: 7 } },
  { argv: ["--top_n-events=7"], values: { topNEvents: 7 } },
  { argv: ["-n", "7"], values: { topNEvents: 7 } },
  { argv: ["-n7"], values: { topNEvents: 7 } },
  { argv: ["-n=7"], values: { topNEvents: 7 } },
  { argv: ["-n", "7", "--top-n-events=+7", "-xx"], values: { topNEvents: 7, strict: true } },
  { argv: ["-p", "a", "--path=b", "-pc", "d"], values: { path: ["a", "b", "c"] }, operands: ["d"] },
  { argv: ["-sid", "abc"], values: { sessionId: "abc" } },
  { argv: ["-sid=abc"], values: { sessionId: "abc" } },
  { argv: ["--session_id", "abc"], values: { sessionId: "abc" } },
  { argv: ["-sabc"], values: { sessionId: "abc" } },
  { argv: ["-pw", "secret"], values: { password: "secret" } },
  { argv: ["--passwd", "secret"], values: { password: "secret" } },
  { argv: ["-pwx"], values: { path: ["wx"] } },
  { argv: ["--password=--x=y"], values: { password: "--x=y" } },
  { argv: ["--password="], values: { password: "" } },
  { argv: ["-xq"], values: { strict: true, quiet: true } },
  { argv: ["-qm", "w"], values: { quiet: true, mode: "w" } },
  { argv: ["-qmw", "a"], values: { quiet: true, mode: "w" }, operands: ["a"] },
  { argv: ["-qn=3"], values: { quiet: true, topNEvents: 3 } },
  { argv: ["--offset", "-1.5e2"], values: { offset: -150 } },
  { argv: ["--offset", "-.5"], values: { offset: -0.5 } },
  { argv: ["--threshold", "0"], values: { threshold: 0 } },
  { argv: ["--since", "2024-02-29"], values: { since: 19782 } },
  { argv: ["--path", "-"], values: { path: ["-"] } },
  { argv: ["-", "a", "-q", "b"], values: { quiet: true }, operands: ["-", "a", "b"] },
  { argv: ["-q", "--", "-x", "--", "--help"], values: { quiet: true }, operands: ["-x", "--", "--help"] },
  { argv: [""], operands: [""] },
];

const WRONG: { argv: string[]; message: string }[] = [
  { argv: ["--treshold", "5"], message: 'Unknown option "--treshold": did you mean "--threshold"?' },
  { argv: ["--thre=5"], message: 'Unknown option "--thre": did you mean "--threshold"?' },
  { argv: ["--top_n_event"], message: 'Unknown option "--top_n_event": did you mean "--top-n-events"?' },
  { argv: ["--hlep"], message: 'Unknown option "--hlep": did you mean "--help"?' },
  // Nothing in their letters tells what is meant.
  { argv: ["--input", "a"], message: 'Unknown option "--input": did you mean "--path"?' },
  { argv: ["--top=5"], message: 'Unknown option "--top": did you mean "--top-n-events"?' },
  { argv: ["--something-else"], message: 'Unknown option "--something-else"' },
  { argv: ["--"+"\x1b[2J"], message: 'Unknown option "--\\x1b[2J"' },
  { argv: ["-z"], message: 'Unknown option "-z"' },
  { argv: ["-qz"], message: 'Unknown option "-qz"' },
  { argv: ["-5"], message: 'Unknown option "-5"' },
  { argv: ["-path", "a"], message: 'Unknown option "-path": did you mean "--path"?' },
  { argv: ["--__proto__"], message: 'Unknown option "--__proto__"' },
  { argv: ["--constructor"], message: 'Unknown option "--constructor"' },
  { argv: ["-n"], message: "Missing value of --top-n-events: expected --top-n-events N" },
  {
    argv: ["--mode", "-q"],
    message: 'Missing value of --mode: found "-q", expected --mode c|w (--mode=c|w if the value begins with "-")',
  },
  { argv: ["--quiet=yes"], message: 'Cannot give --quiet a value: found "yes", expected none' },
  { argv: ["-n", "five"], message: 'Cannot read --top-n-events "five": expected a whole number >= 0' },
  { argv: ["-n", "-5"], message: 'Cannot read --top-n-events "-5": expected a whole number >= 0' },
  { argv: ["-n", ""], message: 'Cannot read --top-n-events "": expected a whole number >= 0' },
  { argv: ["-n", "1e3"], message: 'Cannot read --top-n-events "1e3": expected a whole number >= 0' },
  { argv: ["-t", "NaN"], message: 'Cannot read --threshold "NaN": expected a number >= 0' },
  { argv: ["-t", "0x10"], message: 'Cannot read --threshold "0x10": expected a number >= 0' },
  { argv: ["--offset", "1e999"], message: 'Cannot read --offset "1e999": expected a number' },
  { argv: ["--since", "2023-02-29"], message: 'Cannot read --since "2023-02-29": expected YYYY-MM-DD, today, yesterday, or -7d for seven days ago' },
  { argv: ["--since", "-7"], message: 'Cannot read --since "-7": expected YYYY-MM-DD, today, yesterday, or -7d for seven days ago' },
  { argv: ["-n", "7", "-n", "8"], message: 'Cannot use --top-n-events twice: found "7" and "8", expected one of them' },
  { argv: ["-f", "a", "-q", "--logfile=b"], message: 'Cannot use --logfile twice: found "a" and "b", expected one of them' },
  { argv: ["-m", "x"], message: 'Cannot read --mode "x": expected "c" or "w"' },
  { argv: ["-f", ""], message: 'Cannot read --logfile "": expected a path' },
];

describe("parseCommand", () => {
  test.each(READ)("$argv", ({ argv, values, operands = [] }) => {
    const parsed = parseCommand(COMMAND, argv);
    expect({ values: parsed.values, operands: parsed.operands }).toEqual({
      values: { ...DEFAULTS, ...values } as typeof parsed.values, operands,
    });
  });

  test.each(WRONG)("refuses $argv", ({ argv, message }) => {
    expect(() => parseCommand(COMMAND, argv)).toThrow(new UsageError(message));
  });

  test("tells which options were given", () => {
    expect([...parseCommand(COMMAND, ["-n5", "-q", "-n5"]).given]).toEqual(["topNEvents", "quiet"]);
  });

  test.each([[["--help"]], [["-h"]], [["-qh"]], [["a", "--help", "--wrong"]]])("%j asks for help", argv => {
    expect(() => parseCommand(COMMAND, argv)).toThrow(new HelpRequest(helpText(COMMAND)));
  });

  test("--version asks for name and version", () => {
    expect(() => parseCommand(COMMAND, ["--version"])).toThrow(new HelpRequest(`${PROGRAM}\n`));
  });

  test("days are counted from today, in UTC", () => {
    const nowMs = Date.UTC(2026, 7, 16, 23, 59);
    const read = (text: string) => toIsoDay(parseDay("--since", text, nowMs));
    expect(["today", "yesterday", "-1d", "-7d", "2026-08-01", "-0d"].map(read)).toEqual([
      "2026-08-16", "2026-08-15", "2026-08-15", "2026-08-09", "2026-08-01", "2026-08-16",
    ]);
    const { values, texts } = parseCommand(COMMAND, ["--since", "-7d"]);
    expect(values.since! + 7 - Math.floor(Date.now() / 86_400_000)).toBeWithin(-1, 2);
    expect(texts.get("since")).toEqual(["-7d"]);
  });

  test("asks for what is required, once help is out of the question", () => {
    const command = {
      ...COMMAND,
      operands: [{ name: "HOST", help: "A host.", required: true }],
      options: { ip: { type: "string", short: "i", required: true, help: "Address." } },
    } as const satisfies Command;
    expect(() => parseCommand(command, [])).toThrow(new UsageError("Missing HOST"));
    expect(() => parseCommand(command, ["a"])).toThrow(new UsageError("Missing --ip: expected -i TEXT"));
    expect(() => parseCommand(command, ["a", "b", "-i1"])).toThrow(
      new UsageError('Cannot use argument "b": expected HOST'),
    );
    expect(() => parseCommand(command, ["-h"])).toThrow(HelpRequest);
    const ip: string = parseCommand(command, ["a", "-i", "1.2.3.4"]).values.ip;
    expect(ip).toBe("1.2.3.4");
  });

  test("takes no operands where none are declared", () => {
    const command: Command = { name: "bare", summary: "", options: {}, writes: "", examples: [] };
    expect(() => parseCommand(command, ["a"])).toThrow(
      new UsageError('Cannot use argument "a": expected options only'),
    );
  });

  test("refuses a table that uses a name twice", () => {
    const options: OptionTable = {
      a: { type: "boolean", short: "x", help: "" },
      b: { type: "boolean", short: "x", help: "" },
    };
    expect(() => parseCommand({ ...COMMAND, options }, [])).toThrow('Cannot use option name "x" twice');
  });
});

describe("helpText", () => {
  test("is laid out for people", () => {
    expect(helpText(COMMAND)).toBe(`Show how options are read.

Usage: bun scripts/sample.ts [options] [PATH...]

Arguments:
  PATH                        Logs, folders, or "-" for stdin.

Options:
  -p, --path FILE             A log.
  -f, --logfile FILE          Where the counts go. [default: reduced.json]
  -n, --top-n-events N        Entries per kind; 0 = all. [default: 5]
  -t, --threshold NUMBER      Smallest change shown. [default: 20]
      --offset NUMBER         Any number.
  -m, --mode c|w              Continue or write afresh. [default: c]
  -s, -sid, --session-id ID   The session.
  -pw, --password, --passwd TEXT
                              Login.
  -x, --strict                Fail on rejects.
      --since DAY             First day (UTC) to count: YYYY-MM-DD, today, yesterday, or -7d for
                              seven days ago.
  -q, --quiet                 No progress, notices or summary; errors only.
  -h, --help                  Show this text.
      --version               Show name and version of this program.

Writes: nothing.

Exit codes: 0 done; 1 failed or incomplete, stderr says what; 2 wrong usage.

Examples:
  The example logs:
    bun scripts/sample.ts test/fixtures/fleet
`);
  });

  test("fits 96 columns, and every option it lists is one that parses", () => {
    const command = { ...COMMAND, options: { ...COMMAND.options, ...COMMON_OPTIONS }, writes: "much ".repeat(60) };
    const text = helpText(command);
    expect(text.split("\n").filter(line => line.length > 96)).toEqual([]);
    const listed = text.match(/(?<=^ .*)--[a-z-]+(?=[ ,\n])/gm)!;
    expect(listed.length).toBeGreaterThan(15);
    for (const name of listed) {
      try {
        parseCommand(command, [name]);
      } catch (error) {
        expect({ name, message: (error as Error).message }).not.toEqual({
          name, message: expect.stringContaining("Unknown option"),
        });
      }
    }
  });
});

test("toLongName() puts a dash before each capital", () => {
  expect(["path", "topNEvents", "robotMaxSeconds"].map(toLongName)).toEqual([
    "path", "top-n-events", "robot-max-seconds",
  ]);
});

test("stdout takes one form of data: --json and --csv together are refused by every table that has both", () => {
  const both = { ...COMMAND, options: { csv: COMMON_OPTIONS.csv, json: { type: "boolean", help: "Data." } } } as const;
  expect(parseCommand(both, ["--csv"]).values).toMatchObject({ csv: true, json: false });
  expect(() => parseCommand(both, ["--json", "--csv"])).toThrow("Cannot write both --json and --csv to stdout: expected one of them");
});
