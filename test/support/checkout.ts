/**
 * A folder in which command lines run as in the checkout, `bun scripts/NAME.ts test/fixtures/fleet`, and nothing is
 * written into the real one; its crontab is a fake.
 */
import { cp, mkdir, realpath, symlink } from "node:fs/promises";
import { join } from "node:path";
import { copyFleet, joinFleet } from "./copy-fleet.ts";
import { makeFakeCrontab } from "./crontab.ts";
import { makeTempDir, ROOT, run, type RunResult } from "./run.ts";

export interface Checkout extends AsyncDisposable {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  /** Run a command line by bash; a failure anywhere in a pipe is one. */
  shell(line: string): Promise<RunResult>;
}

/** @param isJoined The example logs in few files, where what they say is wanted and not how they lie. */
export async function makeCheckout({ isJoined = false } = {}): Promise<Checkout> {
  const dir = await makeTempDir();
  const path = await realpath(dir.path);
  await mkdir(join(path, "test/fixtures"), { recursive: true });
  await (isJoined ? joinFleet : copyFleet)(join(path, "test/fixtures/fleet"));
  for (const name of ["sensors.toml", "tty"])
    await cp(join(ROOT, "test/fixtures", name), join(path, "test/fixtures", name), { recursive: true });
  await symlink(join(ROOT, "scripts"), join(path, "scripts"));
  const fake = await makeFakeCrontab(path);
  const env = { ...fake.env, HOME: path, NO_COLOR: "1" };
  return {
    path,
    env,
    shell: line => run(["bash", "-c", `set -o pipefail; ${line}`], { cwd: path, env }),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}
