/** The hash of a text, and how two texts stand to each other; hashes of packed logs stand in `log-text.test.ts`. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { BLOCK_BYTES } from "../../../lib/events/log-text.ts";
import { compareTexts, TextHash } from "../../../lib/events/text-hash.ts";
import { seededRandom } from "../../support/random.ts";
import { makeTempDir } from "../../support/run.ts";

const random = seededRandom("log file");
const TEXT = Buffer.from(Array.from({ length: 400_000 }, () => 32 + random.int(90)));

test("the hash of a text does not depend on the pieces it came in, and on nothing else but the text", () => {
  const long = Buffer.concat([TEXT, TEXT, TEXT, TEXT, TEXT, TEXT]);
  expect(long.length).toBeGreaterThan(2 * BLOCK_BYTES);
  const hashOf = (sizes: readonly number[]) => {
    const hash = new TextHash();
    for (let at = 0, i = 0; at < long.length; at += sizes[i++ % sizes.length]!) {
      hash.add(long.subarray(at, at + sizes[i % sizes.length]!));
    }
    return hash.digest();
  };
  const whole = hashOf([long.length]);
  expect([[1000], [BLOCK_BYTES], [BLOCK_BYTES - 1], [BLOCK_BYTES + 1], [7, 3 * BLOCK_BYTES]].map(hashOf)).toEqual(
    Array(5).fill(whole),
  );
  long[long.length - 1]! ^= 1;
  expect(hashOf([long.length])).not.toBe(whole);
  expect(new TextHash().digest()).toMatch(/^[0-9a-f]{16}$/);
});

test("a hash that begins with noughts has as many digits as others", () => {
  const hashes = Array.from({ length: 100 }, (_, i) => {
    const hash = new TextHash();
    hash.add(Buffer.from(String(i)));
    return hash.digest();
  });
  expect(hashes.some(hash => hash.startsWith("0"))).toBe(true);
  for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{16}$/);
});

test("equal, opening, opened, different; packed or plain", async () => {
  await using dir = await makeTempDir();
  const write = async (name: string, bytes: Uint8Array) => {
    await Bun.write(join(dir.path, name), bytes);
    return join(dir.path, name);
  };
  const long = Buffer.concat([TEXT, TEXT, TEXT]);
  const [whole, packed, start, other] = [
    await write("whole", long),
    await write("packed", Bun.gzipSync(long)),
    await write("start", long.subarray(0, BLOCK_BYTES)),
    await write("other", Buffer.concat([long.subarray(0, -1), Buffer.of(0)])),
  ];
  expect([
    await compareTexts(whole, packed),
    await compareTexts(start, packed),
    await compareTexts(whole, start),
    await compareTexts(whole, other),
  ]).toEqual(["equal", "a opens b", "b opens a", "differ"]);
});
