import { describe, expect, test } from "bun:test";
import { chainsToJson, renderChains } from "../../../lib/pages/chains-page.ts";
import { buildStepGraph, thinGraph } from "../../../lib/view/step-graph.ts";
import { toCspHash } from "../../../lib/pages/html.ts";
import type { SessionCommands } from "../../../lib/sessions/session-commands.ts";
import { describeHidden } from "../../../lib/view/step-graph-picture.ts";
import { HOSTILE_TEXTS } from "../../hostile/texts.ts";

const LOGS = {
  logs: ["a"],
  counts: { lines: 9, events: 8, repaired: 1, rejected: 1, pending: 0 },
  textBytes: 900,
  reused: 0,
  leftOut: 0,
  damaged: 0,
  empty: 0,
};

function commandsOf(commands: readonly string[], sessions: readonly (readonly number[])[]): SessionCommands {
  const spellings = commands.map(example => ({ example, spellings: 1 }));
  return { commands, spellings, sessions, sensors: ["a", ""], firstUs: 0, lastUs: 86_400_000_000 };
}

function render(commands: SessionCommands, { threshold = 1, steps = 8, top = 12, isRaw = true } = {}) {
  const graph = buildStepGraph(commands.sessions, { steps, top });
  const thinned = thinGraph(graph, threshold);
  return renderChains(commands, graph, thinned, LOGS, { threshold, steps, top, isRaw });
}

const SMALL = commandsOf(["uname -a", "wget http://<host>/x", "exit"], [[0, 1], [0, 1], [0, 2], [2]]);

describe("renderChains", () => {
  test("draws each node with its count and what ends there", () => {
    const page = render(SMALL);
    expect(page).toContain("4 sessions with commands on 2 sensors, 1970-01-01 to 1970-01-02 UTC");
    expect(page).toContain("C01: uname -a \n1st command, 3 sessions, 75.0 %</title>");
    expect(page).toContain("C02: wget http://&lt;host&gt;/x \n2nd command, 2 sessions, 50.0 %; 2 end here</title>");
    expect(page.match(/class="ends"/g)).toHaveLength(3);
    expect(page).toContain('class="step p-download"');
    expect(page).not.toContain('id="hidden"');
  });

  test("says what the threshold hides, also if that is all", () => {
    expect(render(SMALL, { threshold: 2 })).toContain(
      "1 link (1 passage) and 2 commands with under 2 sessions hidden.",
    );
    const all = render(SMALL, { threshold: 9 });
    expect(all).toContain("No command was typed at the same position in 9 sessions");
    expect(all).not.toContain("<svg");
  });

  test("names eight sensors, and counts the others", () => {
    const page = (sensors: number) => render({ ...SMALL, sensors: Array.from({ length: sensors }, (_, i) => `s${i}`) });
    expect(page(8)).toContain("s0, s1, s2, s3, s4, s5, s6, s7<");
    expect(page(9)).toContain("s0, s1, s2, s3, s4, s5, s6, s7, and 1 more<");
  });

  test("says which spellings a mask made one", () => {
    const masked: SessionCommands = {
      ...commandsOf(["echo <random>"], [[0], [0]]),
      spellings: [{ example: "echo a1b2c3", spellings: 2 }],
    };
    expect(render(masked, { isRaw: false })).toContain("2 spellings, the first: <code>echo a1b2c3</code>");
    expect(render(masked, { isRaw: false })).toContain("passwords given to chpasswd");
    expect(render(SMALL)).not.toContain("passwords given to chpasswd");
  });

  test("hostile commands are text everywhere, and only our script may run", () => {
    const page = render(
      commandsOf(HOSTILE_TEXTS, [HOSTILE_TEXTS.map((_, i) => i), ...HOSTILE_TEXTS.map((_, i) => [i])]),
      {
        steps: 64,
        top: 100,
      },
    );
    const scripts = [...page.matchAll(/<script>([^]*?)<\/script>/g)].map(([, text]) => text!);
    expect(scripts).toHaveLength(1);
    expect(page).toContain(
      toCspHash(scripts[0]!).replaceAll("'", "&#39;").replaceAll("/", "&#x2F;").replaceAll("=", "&#x3D;"),
    );
    expect(page).not.toMatch(/<(img|iframe|svg o|svg\/)/);
    expect(page).not.toMatch(/ on\w+="/);
    expect(page).not.toMatch(/[^\n\P{C}]/u);
    expect(page.length).toBeLessThan(1_000_000);
  });

  test("the same graph gives the same bytes", () => {
    expect(render(structuredClone(SMALL))).toBe(render(SMALL));
  });
});

test("chainsToJson holds what is hidden as well, and marks it", () => {
  const graph = buildStepGraph(SMALL.sessions, { steps: 8, top: 12 });
  const json = chainsToJson(SMALL, graph, thinGraph(graph, 2), { threshold: 2, steps: 8, top: 12, isRaw: true });
  expect(json).toMatchObject({ sessions: 4, threshold: 2, hidden: { nodes: 2, links: 1, sessions: 1 } });
  expect((json.links as { shown: boolean }[]).map(({ shown }) => shown)).toEqual([true, false]);
});

test("describeHidden", () => {
  const thinned = { nodes: [], links: [], hiddenNodes: 0, hiddenLinks: 0, hiddenSessions: 0 };
  expect(describeHidden(thinned, 10)).toBe("");
  expect(describeHidden({ ...thinned, hiddenLinks: 2, hiddenSessions: 5 }, 10)).toBe(
    "2 links (5 passages) with under 10 sessions hidden",
  );
});
