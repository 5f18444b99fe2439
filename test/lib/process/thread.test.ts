import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { memoryOf, Thread } from "../../../lib/process/thread.ts";
import { makeTempDir, ROOT } from "../../support/run.ts";

let dir: Awaited<ReturnType<typeof makeTempDir>>;
let entry: URL;

type Ask = "add" | "throw" | "break" | { readonly slowly: number } | { readonly numbers: Int32Array };

beforeAll(async () => {
  dir = await makeTempDir();
  const path = join(dir.path, "worker.ts");
  entry = pathToFileURL(path);
  await Bun.write(
    path,
    `import { answerAsks, memoryOf } from ${JSON.stringify(join(ROOT, "lib/process/thread.ts"))};
     class OddError extends Error { name = "OddError"; }
     let told = 0, kept;
     let wake = () => {};
     answerAsks(async (ask, tell) => {
       if (ask === "throw") throw new OddError("it will not");
       if (ask === "break") { setTimeout(() => { throw new Error("all is lost"); }); await new Promise(() => {}); }
       if ("numbers" in Object(ask)) {
         kept = { sum: ask.numbers.reduce((a, b) => a + b), numbers: ask.numbers, more: [{ beside: ask.numbers.subarray(1) }] };
         return kept;
       }
       if (ask === "add") {
         while (told < 6) { tell(told); await new Promise(resolve => (wake = resolve)); }
         return told;
       }
       await new Promise(resolve => setTimeout(resolve, 5 * ask.slowly));
       return ask.slowly;
     }, n => { told += n; wake(); }, memoryOf);`,
  );
});
afterAll(() => dir[Symbol.asyncDispose]());

const start = (doing?: string) => new Thread<Ask, number, number, number>(entry, doing === undefined ? {} : { doing });

describe("Thread", () => {
  test("answers in the order asked, whatever each takes", async () => {
    using thread = start();
    const order: number[] = [];
    await Promise.all([3, 1, 2].map(async n => order.push(await thread.ask({ slowly: n }))));
    expect(order).toEqual([3, 1, 2]);
  });

  test("is told more while it works, and tells how far it is", async () => {
    using thread = start();
    const news: number[] = [];
    const sum = thread.ask("add", so => news.push(so));
    for (const n of [1, 2, 3]) thread.tell(n);
    expect(await sum).toBe(6);
    expect(news.length).toBeGreaterThan(0);
  });

  test("memory is handed over, there and back, and what is shared is not", async () => {
    using thread = new Thread<Ask, unknown>(entry);
    const shared = new Int32Array(new SharedArrayBuffer(8));
    const numbers = Int32Array.of(1, 2, 3);
    expect(memoryOf({ numbers, text: "", shared, none: null, more: [numbers.subarray(1)] })).toEqual([numbers.buffer]);
    const answer = thread.ask({ numbers }, undefined, memoryOf({ numbers }));
    expect(numbers.length).toBe(0);
    expect(await answer).toEqual({ sum: 6, numbers: Int32Array.of(1, 2, 3), more: [{ beside: Int32Array.of(2, 3) }] });
  });

  test("a failure is that of its question, by reason and name; the next one is answered", async () => {
    using thread = start("count");
    const failure = thread.ask("throw").catch((error: Error) => error);
    const next = thread.ask({ slowly: 1 });
    expect(await failure).toMatchObject({ name: "OddError", message: "Cannot count: it will not" });
    expect(await next).toBe(1);
  });

  test("a thread that breaks down fails all it was asked and will be", async () => {
    using thread = start("count");
    const asked = [thread.ask("break"), thread.ask({ slowly: 1 })].map(one => one.catch((error: Error) => error.message));
    const reasons = await Promise.all(asked);
    expect(reasons).toEqual(reasons.map(() => expect.stringContaining("all is lost")));
    await expect(thread.ask({ slowly: 1 })).rejects.toThrow("all is lost");
  });
});
