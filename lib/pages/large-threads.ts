/**
 * The threads of a large table, whatever they are asked: what they do is loaded by them alone.
 *
 * Tested in `test/scripts/visualize.test.ts`.
 */
import { openPool, type PoolOpener } from "../reduced/stored-pool.ts";
import type { LargeTasks } from "./large-tasks.ts";

export const openLargePool: PoolOpener<LargeTasks> = path => openPool<LargeTasks>(new URL("./large-worker.ts", import.meta.url), { path, selection: {} });
