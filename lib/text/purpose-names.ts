/**
 * What commands are for: the names of the colours in chains and traces.
 *
 * Tested in `test/lib/text/purpose.test.ts`.
 */

/** In the order of their weight. */
export const PURPOSES = [
  { id: "persistence", name: "persistence" },
  { id: "download", name: "download" },
  { id: "execution", name: "execution" },
  { id: "cleanup", name: "cleanup" },
  { id: "probe", name: "shell probe" },
  { id: "recon", name: "reconnaissance" },
  { id: "other", name: "other command" },
] as const;
export type Purpose = (typeof PURPOSES)[number]["id"];
