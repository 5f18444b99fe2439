/** Tasks of the tests of `stored-pool.ts`: sums of a kind, times a factor that was given. */
import type { Kind } from "../../lib/reduced/kinds.ts";
import { type Given, lookUp, type StoredTasks } from "../../lib/reduced/stored-pool.ts";

export const POOL_TASKS = {
  sum(stored, { kind, factor }: { readonly kind: Kind; readonly factor: Given<number> }) {
    let sum = 0;
    for (const { count } of stored.parts(kind)) for (const one of count) sum += one;
    return sum * lookUp(factor);
  },
  fail(_, { reason }: { readonly reason: string }): never {
    throw new RangeError(reason);
  },
  cost: (_, { at }: { readonly at: number }) => ({ at, order: asked++ }),
} as const satisfies StoredTasks;

/** Tasks that this thread was asked for. */
let asked = 0;
