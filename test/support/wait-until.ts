/** Waiting for other programs, which may never do what is waited for: then a test fails, and says for what it waited. */

/** Far longer than it takes on any machine; no test measures by it. */
const GIVE_UP_MS = 240_000;

/** @throws {Error} if it does not come true. */
export async function waitUntil(what: string, isTrue: () => boolean | Promise<boolean>, everyMs = 200): Promise<void> {
  const end = performance.now() + GIVE_UP_MS;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}`);
    await Bun.sleep(everyMs);
  }
}
