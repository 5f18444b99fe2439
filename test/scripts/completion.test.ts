import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { listScripts, loadCommand } from "../../lib/process/scripts.ts";
import { bashCompletion } from "../../lib/process/completion.ts";
import { type Command, toLongName } from "../../lib/process/command.ts";
import { missing } from "../support/needs.ts";
import { makeTempDir, run, runScript } from "../support/run.ts";

const zsh = missing("zsh");
const script = missing("script");

let dir: Awaited<ReturnType<typeof makeTempDir>>;
let bashFile: string;
let zshFile: string;

beforeAll(async () => {
  dir = await makeTempDir();
  bashFile = join(dir.path, "completion.bash");
  zshFile = join(dir.path, "completion.zsh");
  for (const [shell, path] of [["bash", bashFile], ["zsh", zshFile]] as const) {
    const { stdout, stderr, exitCode } = await runScript("completion", [shell]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    await writeFile(path, stdout);
  }
});
afterAll(async () => {
  await dir[Symbol.asyncDispose]();
});

/** What bash offers for a line whose last word is still being typed; `before` is run before ours is read. */
async function complete(words: readonly string[], before = ""): Promise<string[]> {
  const script = `
${before}
source ${bashFile}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
spec=$(complete -p "\${1##*/}"); spec=\${spec#* -F }
compopt() { :; }
"\${spec%% *}" "$1" "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await run(["bash", "--norc", "-c", script, "bash", ...words]);
  expect(stderr).toBe("");
  return stdout.split("\n").filter(word => word !== "");
}

describe("bash", () => {
  const CASES: [words: string[], offered: string[]][] = [
    [["bun", "scripts/analyze-local.ts", "--th"], ["--threshold"]],
    [["bun", "scripts/analyze-local.ts", "--top_n"], ["--top-n-events"]],
    [["bun", "/x y/scripts/analyze-local.ts", "logs", "-q", "--th"], ["--threshold"]],
    [["bun", "run", "scripts/analyze-local.ts", "--th"], ["--threshold"]],
    [["scripts/analyze-local.ts", "--th"], ["--threshold"]],
    [["bun", "scripts/analyze-local.ts", "--mode", ""], ["c", "w"]],
    [["bun", "scripts/analyze-local.ts", "-m", "w"], ["w"]],
    [["bun", "scripts/analyze-local.ts", "--mode", "="], ["c", "w"]],
    [["bun", "scripts/analyze-local.ts", "--mode", "=", "c"], ["c"]],
    [["bun", "scripts/analyze-local.ts", "-n", ""], []],
    [["bun", "scripts/analyze-local.ts", "-o", "-"], []],
    [["bun", "scripts/analyze-local.ts", "--", "--th"], []],
    [["bun", "scripts/completion.ts", ""], ["bash", "zsh"]],
    [["bun", "scripts/schedule.ts", "ni"], ["nightly"]],
    [["bun", "scripts/schedule.ts", "trace-"], ["trace-ip", "trace-sid"]],
    [["bun", "scripts/schedule.ts", "nightly", "tr"], []],
    [["bun", "scripts/no-such.ts", "--th"], []],
    [["bun", "analyze-local", "--th"], []],
    [["bun", "scr"], []],
    [["bun", ""], []],
  ];
  test.each(CASES)("%j", async (words, offered) => {
    expect(await complete(words)).toEqual(offered);
  });

  test("offers every option of every script, and no other", async () => {
    for (const name of listScripts()) {
      const { options } = (await loadCommand(name))!;
      const names = Object.entries(options).flatMap(([key, { aliases = [] }]) => [toLongName(key), ...aliases]);
      const offered = await complete(["bun", `scripts/${name}.ts`, "--"]);
      const expected = [...names, "help", "version"].map(text => `--${text}`);
      expect({ name, offered: offered.sort() }).toEqual({ name, offered: expected.sort() });
    }
  });

  test("leaves bun itself to what completed it before", async () => {
    const before = "_bun_before() { COMPREPLY=(install); }; complete -F _bun_before bun";
    expect(await complete(["bun", "ins"], before)).toEqual(["install"]);
    expect(await complete(["bun", "x.ts", "--"], before)).toEqual(["install"]);
    expect(await complete(["bun", "map.ts", "--fil"], before)).toEqual(["--file"]);
    expect(await complete(["bun", "ins"], `${before}; source ${bashFile}`)).toEqual(["install"]);
  });

  test.skipIf(script.reason !== undefined)(`on a terminal: TAB completes options and words, and files where a file is wanted${script.why}`, async () => {
    await mkdir(join(dir.path, "tty"));
    await writeFile(join(dir.path, "tty", "some log.json"), "");
    const typed = [
      `source ${bashFile}`,
      "bun() { printf '<%s>' \"$@\" >> got; echo >> got; }",
      "bun scripts/analyze-local.ts --thr\t5 so\t",
      "bun scripts/map.ts --mode=w\t so\t",
      "bun scripts/completion.ts z\t",
      "bun scripts/analyze-local.ts -o so\t",
      "exit",
      "",
    ].join("\n");
    await run(["script", "-qec", "bash --norc -i", "/dev/null"], {
      cwd: join(dir.path, "tty"), stdin: typed, env: { INPUTRC: "/dev/null", TERM: "dumb" },
    });
    expect((await Bun.file(join(dir.path, "tty", "got")).text()).split("\n")).toEqual([
      "<scripts/analyze-local.ts><--threshold><5><some log.json>",
      "<scripts/map.ts><--mode=w><some log.json>",
      "<scripts/completion.ts><zsh>",
      "<scripts/analyze-local.ts><-o><some log.json>",
      "",
    ]);
  });

  test("survives hostile words in a table", async () => {
    const command: Command = {
      name: "x", summary: "", writes: "", examples: [],
      options: { a: { type: "choice", choices: ["it's", "$(exit)"], help: "" } },
    };
    expect(await run(["bash", "-n", "-c", bashCompletion([command])])).toMatchObject({ stderr: "", exitCode: 0 });
  });
});

describe.skipIf(zsh.reason !== undefined)(`zsh${zsh.why}`, () => {
  test("reads it", async () => {
    expect(await run(["zsh", "-n", zshFile])).toMatchObject({ stderr: "", exitCode: 0 });
  });

  test("offers options and words on a terminal", async () => {
    await mkdir(join(dir.path, "zsh"));
    const script = `zmodload zsh/zpty; zpty shell 'zsh -f -i'
      type_keys() { zpty -w shell "$1"; }
      type_keys 'autoload -Uz compinit && compinit -D -u; source ${zshFile}; PS1=; unsetopt auto_menu; setopt no_beep'
      type_keys 'bun() { printf "<%s>" "$@" >> got; echo >> got }'
      type_keys $'bun scripts/analyze-local.ts --thr\\t5'
      type_keys $'bun scripts/completion.ts z\\t'
      type_keys $'bun scripts/schedule.ts nigh\\t'
      type_keys $'bun scripts/trace-sid.ts --session-\\tx'
      for name in ${listScripts().join(" ")}; do type_keys "bun scripts/$name.ts --hel"$'\\t'; done
      type_keys 'exit'
      while zpty -r shell line; do :; done`;
    await run(["zsh", "-f", "-c", script], { cwd: join(dir.path, "zsh"), env: { HOME: dir.path } });
    expect((await Bun.file(join(dir.path, "zsh", "got")).text()).split("\n")).toEqual([
      "<scripts/analyze-local.ts><--threshold=5>",
      "<scripts/completion.ts><zsh>",
      "<scripts/schedule.ts><nightly>",
      "<scripts/trace-sid.ts><--session-id=x>",
      ...listScripts().map(name => `<scripts/${name}.ts><--help>`),
      "",
    ]);
  });
});

test("wants to know the shell", async () => {
  expect(await runScript("completion", [])).toMatchObject({
    stdout: "", stderr: expect.stringContaining('Missing the shell: expected "bash" or "zsh"'), exitCode: 2,
  });
  expect(await runScript("completion", ["fish"])).toMatchObject({ stdout: "", exitCode: 2 });
});
