import { expect, test } from "bun:test";
import { makeTempDir, run } from "../../support/run.ts";
import { writeSource } from "../../support/source.ts";

test("the name of the account is found without $USER as well, as under cron", async () => {
  await using dir = await makeTempDir();
  const program = 'import { accountName } from "$lib/ssh/ssh-config.ts"; console.log(accountName());';
  const env = { USER: undefined, LOGNAME: undefined, USERNAME: undefined };
  const { stdout } = await run(await writeSource(dir.path, program), { env });
  expect(stdout).toBe((await run(["id", "-un"])).stdout);
});
