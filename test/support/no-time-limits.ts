/**
 * Preloaded by bunfig.toml, before each file: no test has a time limit that a slow machine could meet.
 *
 * The runner's five seconds cannot be set in bunfig.toml (Bun 1.4.5), and `setDefaultTimeout` holds for one file: so each
 * file gets the call, ahead of its first line, which keeps its line numbers. A test that hangs is given up after a day.
 */
import { plugin } from "bun";

const FIRST = 'import { setDefaultTimeout as $limit } from "bun:test"; $limit(86_400_000); ';

plugin({
  name: "no-time-limits",
  setup(build) {
    build.onLoad({ filter: /\.test\.ts$/ }, async ({ path }) => ({
      contents: FIRST + (await Bun.file(path).text()),
      loader: "ts",
    }));
  },
});
