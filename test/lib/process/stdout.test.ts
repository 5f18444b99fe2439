import { expect, test } from "bun:test";
import { join } from "node:path";
import { missing } from "../../support/needs.ts";
import { ROOT } from "../../support/run.ts";

const perl = missing("perl");
const SIZES = [1, 65_536, 65_537, 74_280, 200_000, 262_144, 300_000, 3_000_000];

test.skipIf(perl.reason !== undefined).each(SIZES)(
  `%d bytes into a pipe that does not wait, to a slow reader, come out once${perl.why}`,
  async size => {
    const code = `const { writeOut } = await import(${JSON.stringify(join(ROOT, "lib/process/cli.ts"))});
      await writeOut(Uint8Array.from({ length: ${size} }, (_, i) => i % 251));`;
    const perl = "use Fcntl; fcntl(STDOUT, F_SETFL, fcntl(STDOUT, F_GETFL, 0) | O_NONBLOCK); exec @ARGV";
    const command = `perl -e "$1" "$2" -e "$3" | { sleep 0.2; cat; }`;
    const child = Bun.spawn(["sh", "-c", command, "sh", perl, process.execPath, code], { stdout: "pipe" });
    const bytes = await new Response(child.stdout).bytes();
    expect(bytes.length).toBe(size);
    expect(bytes.every((byte, i) => byte === i % 251)).toBe(true);
  },
);
