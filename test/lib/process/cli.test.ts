import { describe, expect, test } from "bun:test";
import { quoteShell } from "../../../lib/text/shell.ts";
import { makeTempDir, run } from "../../support/run.ts";
import { shell, writeSource } from "../../support/source.ts";

/** Run a script's `main`, given as the body of a function. */
async function runBody(body: string, { pipe = "", env = {}, stdin = "", args = [] as string[] } = {}) {
  await using dir = await makeTempDir();
  const command = await writeSource(
    dir.path,
    `import { EXIT, expectLongRun, note, onStop, runMain, writeOut } from "$lib/process/cli.ts";
     import { UsageError } from "$lib/process/command.ts";
     import { parseCommand } from "$lib/process/options.ts";
     import { existsSync, rmSync, writeFileSync } from "node:fs";
     async function main(argv: string[]) { ${body} }
     await runMain("sample", main as never);`,
  );
  const line = [...command, ...args].map(quoteShell).join(" ");
  const result = await run(shell(`${line} ${pipe}`), { cwd: dir.path, stdin, env: { DEBUG: undefined, ...env } });
  return { stdout: result.stdout, stderr: result.stderr, exitCode: result.exitCode };
}

describe("runMain", () => {
  const OUTCOMES: { name: string; body: string; stdout?: string; stderr?: string; exitCode: number }[] = [
    { name: "done", body: 'await writeOut("a\\n"); return EXIT.ok;', stdout: "a\n", exitCode: 0 },
    { name: "incomplete", body: "return EXIT.failed;", exitCode: 1 },
    { name: "an error", body: 'throw new Error("no luck");', stderr: "sample: no luck\n", exitCode: 1 },
    {
      name: "an error with foreign text",
      body: 'throw new Error("bad \\x1b[2J\\nline");',
      stderr: "sample: bad \\x1b[2J\\nline\n",
      exitCode: 1,
    },
    { name: "an error that is none", body: 'throw "text";', stderr: "sample: text\n", exitCode: 1 },
    {
      name: "wrong usage",
      body: 'throw new UsageError("Missing --ip");',
      stderr: "sample: Missing --ip\nTry: bun scripts/sample.ts --help\n",
      exitCode: 2,
    },
    {
      name: "an error nobody awaits",
      body: 'Promise.reject(new Error("lost")); await Bun.sleep(5000); return EXIT.ok;',
      stderr: "sample: lost\n",
      exitCode: 1,
    },
    {
      name: "an error in a callback",
      body: 'setTimeout(() => { throw new Error("late"); }, 1); await Bun.sleep(5000); return EXIT.ok;',
      stderr: "sample: late\n",
      exitCode: 1,
    },
    {
      name: "another's closed pipe is a failure",
      body: 'throw Object.assign(new Error("broken"), { code: "EPIPE" });',
      stderr: "sample: broken\n",
      exitCode: 1,
    },
    {
      name: "output that nobody awaited is whole",
      body: 'writeOut("a".repeat(300_000)); writeOut("b\\n"); return EXIT.failed;',
      stdout: `${"a".repeat(300_000)}b\n`,
      exitCode: 1,
    },
    {
      name: "cleanups run, newest first, whatever one of them does",
      body: `onStop(() => note("first")); onStop(() => { throw new Error("x"); }); onStop(() => note("last"));
             onStop(() => note("taken back"))(); throw new Error("no luck");`,
      stderr: "last\nfirst\nsample: no luck\n",
      exitCode: 1,
    },
  ];
  test.each(OUTCOMES)("$name", async ({ body, stdout = "", stderr = "", exitCode }) => {
    expect(await runBody(body)).toEqual({ stdout, stderr, exitCode });
  });

  test("help goes to stdout and ends with 0", async () => {
    const body = `parseCommand({ name: "sample", summary: "Do it.", options: {}, writes: "x", examples: [] }, ["-h"]);`;
    const { stdout, stderr, exitCode } = await runBody(body);
    expect({ head: stdout.split("\n")[0], stderr, exitCode }).toEqual({ head: "Do it.", stderr: "", exitCode: 0 });
  });

  test("DEBUG adds the stack and the causes", async () => {
    const body = 'throw new Error("outer", { cause: new Error("inner") });';
    const { stderr } = await runBody(body, { env: { DEBUG: "1" } });
    expect(stderr).toMatch(/^sample: outer\n[^]*at main[^]*inner/);
  });

  test("does not wait for a stdin that nobody reads any more", async () => {
    await using dir = await makeTempDir();
    const command = await writeSource(
      dir.path,
      `import { EXIT, runMain } from "$lib/process/cli.ts";
       await runMain("sample", async () => {
         await Bun.stdin.stream().getReader().read();
         return EXIT.failed;
       });`,
    );
    const child = Bun.spawn(command, { stdin: "pipe", stdout: "ignore", stderr: "ignore" });
    child.stdin.write("a");
    child.stdin.flush();
    // stdin stays open: it must end by itself.
    expect(await child.exited).toBe(1);
    child.stdin.end();
  });
});

describe("writeOut", () => {
  const ENDLESS = `const chunk = "y\\n".repeat(32_768); for (;;) await writeOut(chunk);`;

  test("a reader that leaves early is no failure", async () => {
    expect(await runBody(ENDLESS, { pipe: "| head -n 1" })).toEqual({ stdout: "y\n", stderr: "", exitCode: 0 });
  });

  test("5 MB to a slow pipe arrive whole, with the exit code", async () => {
    const body = `await writeOut(new Uint8Array(5_000_000).fill(97)); await writeOut("z"); return EXIT.failed;`;
    expect(await runBody(body, { pipe: "| (sleep 0.2; wc -c)" })).toEqual({
      stdout: "5000001\n", stderr: "", exitCode: 1,
    });
  });

  test("many chunks to a file follow each other, and keep what a file held", async () => {
    const body = `for (let i = 0; i < 1000; i++) await writeOut(i + "\\n"); return EXIT.ok;`;
    expect(await runBody(body, { pipe: "> out; echo end >> out; md5sum < out; wc -l < out" })).toEqual({
      stdout: `${new Bun.CryptoHasher("md5")
        .update(`${Array.from({ length: 1000 }, (_, i) => i).join("\n")}\nend\n`)
        .digest("hex")}  -\n1001\n`,
      stderr: "",
      exitCode: 0,
    });
    expect(await runBody(`await writeOut("b\\n"); return EXIT.ok;`, { pipe: ">> out; cat out" })).toEqual({
      stdout: "b\n", stderr: "", exitCode: 0,
    });
  });

  test("a full disk is a failure with a reason", async () => {
    expect(await runBody(`await writeOut("x"); return EXIT.ok;`, { pipe: "> /dev/full" })).toEqual({
      stdout: "", stderr: "sample: Cannot write stdout: no space left on the disk\n", exitCode: 1,
    });
  });
});

describe("signals", () => {
  const WORKING = `
    writeFileSync("temporary", "");
    const forget = onStop(() => rmSync("temporary"));
    await writeOut("ready\\n");
    await Bun.sleep(60_000); forget(); return EXIT.ok;`;

  test.each([["INT", 130], ["TERM", 143]])("SIG%s cleans up and ends with %d", async (signal, exitCode) => {
    const pipe = `> log & p=$!; until grep -q ready log; do sleep 0.01; done; kill -${signal} $p; wait $p; code=$?;
      ls temporary 2>/dev/null; exit $code`;
    const result = await runBody(WORKING, { pipe: pipe.replaceAll("\n", " ") });
    expect({ stdout: result.stdout, exitCode: result.exitCode }).toEqual({ stdout: "", exitCode });
  });

  test("without anything to clean up a signal acts even in the midst of work", async () => {
    const body = `onStop(() => {})(); await writeOut("ready\\n"); for (;;);`;
    const pipe = `> log & p=$!; until grep -q ready log; do sleep 0.01; done; kill -TERM $p; wait $p`;
    expect((await runBody(body, { pipe })).exitCode).toBe(143);
  });
});

describe("expectLongRun", () => {
  const BODY = `
    const names = Object.keys(process.env).filter(name => name.startsWith("BUN_JSC_"));
    await writeOut("begun " + names.map(name => process.env[name]) + "\\n");
    let left = 0;
    {
      using held = { [Symbol.dispose]: () => void left++ };
      try { expectLongRun(); } finally { await writeOut("left\\n"); }
    }
    await writeOut(JSON.stringify(argv) + await Bun.stdin.text());
    return EXIT.damaged;`;

  // Whoever goes on to another version tries the setting there.
  test.if(Bun.version === "1.4.5")("the script begins anew, once, as the engine is set; arguments, stdin and exit code are its own", async () => {
    const args = ["-n", "a b", "--", "'\"$x"];
    const { stdout, stderr, exitCode } = await runBody(BODY, { stdin: "all of it", args });
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: `begun \nleft\nbegun 1000000\nleft\n${JSON.stringify(args)}all of it`, stderr: "", exitCode: 3 });
  });

  test("where somebody has set the engine, it goes on", async () => {
    const { stdout } = await runBody(BODY, { env: { BUN_JSC_thresholdForFTLOptimizeAfterWarmUp: "100000" } });
    expect(stdout).toBe("begun 100000\nleft\n[]");
  });

  test.each([
    ["a pipe that an argument names", "/dev/fd/3 3< <(printf three)"],
    ["a file that is locked as long as it is open", "9> lock"],
  ])("it goes on where beginning anew would close %s", async (_, pipe) => {
    const { stdout } = await runBody(BODY, { pipe });
    expect(stdout).toStartWith("begun \nleft\n[");
    expect(stdout).not.toContain("1000000");
  });
});
