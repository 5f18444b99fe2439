/** Every page the commands write, of a few sets of logs, in a folder of its own. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { main as analyze } from "../../scripts/analyze-local.ts";
import { main as chains } from "../../scripts/command-chains.ts";
import { main as traceIp } from "../../scripts/trace-ip.ts";
import { main as traceSid } from "../../scripts/trace-sid.ts";
import { joinFleet } from "./copy-fleet.ts";
import { RECORDINGS } from "./recordings.ts";
import { toLine } from "./event-logs.ts";
import { buildHostileLog, HOSTILE_ADDRESS } from "../hostile/sessions.ts";

export const PAGE_NAMES = ["result", "stats", "chains", "trace-ip", "trace-sid"] as const;
export type PageName = (typeof PAGE_NAMES)[number];
export type Pages = Readonly<Record<PageName, string>>;

interface Wanted {
  readonly logs: string;
  /** Session and address to trace. */
  readonly session: string;
  readonly address: string;
  readonly chains?: readonly string[];
  readonly analyze?: readonly string[];
  readonly traceSid?: readonly string[];
}

/** Write the five pages of some logs; their addresses, by name. */
export async function writePages(folder: string, wanted: Wanted): Promise<Pages> {
  const path = (name: string) => join(folder, `${name}.html`);
  const logs = [wanted.logs, "--mapped-dir", join(folder, "tables"), "-q"];
  const codes = [
    await analyze([...logs, "-f", join(folder, "reduced.json"), "-o", path("result"), ...(wanted.analyze ?? [])]),
    await chains([...logs, "-o", path("chains"), ...(wanted.chains ?? [])]),
    await traceIp([...logs, "-i", wanted.address, "-o", path("trace-ip")]),
    await traceSid([...logs, "-sid", wanted.session, "-o", path("trace-sid"), ...(wanted.traceSid ?? [])]),
  ];
  if (codes.some(code => code !== 0)) throw new Error(`Cannot write pages of "${wanted.logs}": exit codes ${codes}`);
  const urls = PAGE_NAMES.map(name => [name, pathToFileURL(path(name)).href]);
  return Object.fromEntries(urls) as Record<PageName, string>;
}

/** The pages of the example fleet. */
export async function writeFleetPages(folder: string): Promise<Pages> {
  const logs = await joinFleet(join(folder, "fleet"));
  return writePages(folder, { logs, session: "3d7d1fd7e7ee", address: "203.0.113.250/30", chains: ["-t", "5"], traceSid: ["--tty", RECORDINGS] });
}

/** The pages of a log that holds one event. */
export async function writeOneEventPages(folder: string): Promise<Pages> {
  const logs = join(folder, "cowrie.json");
  await Bun.write(logs, `${toLine({ eventid: "command.input", at: 0, input: "uname -a" })}\n`);
  return writePages(folder, { logs, session: "s1", address: "192.0.2.1", chains: ["-t", "1"] });
}

/** The pages of logs in which every text is an attacker's, with nothing left out. */
export async function writeHostilePages(folder: string): Promise<Pages> {
  const logs = join(folder, "cowrie.json");
  await Bun.write(logs, buildHostileLog());
  return writePages(folder, {
    logs,
    session: "__proto__",
    address: HOSTILE_ADDRESS,
    chains: ["-t", "1", "--raw", "--top", "60"],
    analyze: ["-n", "0"],
  });
}
