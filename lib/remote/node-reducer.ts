/**
 * What runs on a node that reduces: `reduce.ts`, with its logs named in a file, since no command line holds tens of
 * thousands of paths. That file is the last argument; each path in it ends with NUL, the only byte no path has.
 */
import { main } from "../../scripts/reduce.ts";
import { runMain } from "../process/cli.ts";

if (import.meta.main) {
  await runMain("reduce", async argv => {
    const paths = (await Bun.file(argv.at(-1)!).text()).split("\0").slice(0, -1);
    return main([...argv.slice(0, -1), "--", ...paths]);
  });
}
