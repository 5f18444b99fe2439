/**
 * Everything that reads foreign bytes or text, on spoiled input, many times in one process: `bun read-all.ts FOLDER SEED
 * COUNT`. Says nothing and ends with 0 where every reader either takes its input or says in plain words why not.
 */
import { join } from "node:path";
import { isMagic } from "../../lib/columns/arrow-guard.ts";
import { openEventTable } from "../../lib/events/event-table.ts";
import { streamText } from "../../lib/events/log-text.ts";
import { mapLog } from "../../lib/events/map-log.ts";
import { listJobs, nextRun, parseSchedule, withJob, withoutJob } from "../../lib/process/crontab.ts";
import { combineTables } from "../../lib/reduced/combine.ts";
import { readReducedStream } from "../../lib/reduced/reduced-input.ts";
import { reducedToJson } from "../../lib/reduced/reduced-json.ts";
import { Answer } from "../../lib/remote/answer.ts";
import { ListingReader } from "../../lib/remote/list-logs.ts";
import { checkHostKey, orderKeyAlgorithms, parseKnownHosts } from "../../lib/ssh/known-hosts.ts";
import { parseDowntime } from "../../lib/statistics/downtime.ts";
import { Attacker, type Sound } from "./attacker.ts";

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const MARK = "0123456789abcdef";
const ANSWER = Buffer.from(`first\n\n${MARK} 0 ${"ab".repeat(32)}\nsecond\n${MARK} 1 \n`);
const LISTING = Buffer.from(
  "tools\0Linux x86_64\x00111\0root\0/logs\0log\x001:7\x0099\x001700000000.5\0r\0/logs/cowrie.json\0denied\0/x\0end\0",
);

/** Each takes its input or throws; the name stands in a report. */
const READERS: Readonly<Record<string, (attacker: Attacker) => unknown>> = {
  log: async attacker => {
    const bytes = attacker.log();
    await mapLog("-", streamText(bytes.subarray(0, 4096), once(bytes)));
  },
  arrow: async attacker => {
    const bytes = attacker.arrow();
    if (!isMagic(bytes)) return;
    await openEventTable(bytes).catch(refused);
    const table = await readReducedStream(bytes);
    for (const _ of reducedToJson(table, 3));
    await combineTables([{ name: "a", table }, { name: "b", table }], () => {});
  },
  reducedJson: async attacker => {
    const table = await readReducedStream(attacker.reducedJson());
    for (const _ of reducedToJson(table, 3));
  },
  knownHosts: attacker => {
    const keys = parseKnownHosts(attacker.knownHosts(), "known_hosts");
    for (const host of ["127.0.0.1", attacker.text()]) {
      checkHostKey(keys, host, 22, Buffer.from(attacker.text()));
      orderKeyAlgorithms(keys, host, 2222);
    }
  },
  crontab: attacker => {
    const table = attacker.crontab();
    for (const { schedule } of listJobs(table)) nextRun(schedule);
    withJob(withoutJob(table, "nightly"), "1 1 * * * true # cowrie-longitudinal: nightly");
    parseSchedule("--at", attacker.random.pick([attacker.text(), attacker.spoilText("*/5 1-3,7 * jan-mar mon")]));
  },
  downtime: attacker => parseDowntime(attacker.spoilText('sensor,from,to\nams,2024-01-01,2024-01-02\n"a""b",2024-01-01,2024-01-03\n')),
  listing: attacker => {
    const reader = new ListingReader();
    const bytes = Buffer.from(attacker.answer(LISTING));
    for (let at = 0; at < bytes.length; at += 1000) reader.take(bytes.subarray(at, at + 1000));
    reader.finish();
  },
  answer: async attacker => {
    const wire = attacker.random.pick(["none", "gzip", "zstd"] as const);
    const sound = wire === "gzip" ? Bun.gzipSync(ANSWER) : wire === "zstd" ? Bun.zstdCompressSync(ANSWER) : ANSWER;
    const answer = new Answer({ mark: MARK, wire, lengths: [6, 6] }, { data: () => {}, end: () => {} });
    try {
      const bytes = Buffer.from(attacker.answer(sound));
      for (let at = 0; at < bytes.length; at += 1000) await answer.take(bytes.subarray(at, at + 1000));
      await answer.end();
    } finally {
      await answer.close();
    }
  },
};

/** A refusal is a plain Error in plain words; anything else is a fault of the reader. */
function refused(error: unknown): void {
  if (!(error instanceof Error)) throw new Error(`threw ${String(error)}`);
  const isOwn = /^(?:Cannot|(?:not )?an? (?:event|reduced) table)\b/.test(error.message) || !["TypeError", "RangeError", "ReferenceError"].includes(error.name);
  const isPlain = isOwn && error.message !== "" && error.message.length < 1000 && !/undefined is not|is not a function|of null/.test(error.message);
  if (!isPlain) throw error;
}

if (import.meta.main) {
  const [folder, first, count] = Bun.argv.slice(2) as [string, string, string];
  const sound: Sound = {
    lines: (await Bun.file(join(folder, "sound.log")).text()).split("\n").filter(line => line !== "").map(line => Buffer.from(line)),
    eventTable: await Bun.file(join(folder, "sound.log.arrow")).bytes(),
    reducedTable: await Bun.file(join(folder, "sound.arrow")).bytes(),
    reducedJson: await Bun.file(join(folder, "sound.json")).text(),
  };
  for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
    for (const [name, read] of Object.entries(READERS)) {
      try {
        await read(new Attacker(`${name} ${seed}`, sound));
      } catch (error) {
        try {
          refused(error);
        } catch {
          console.error(`seed ${seed}, ${name}: ${(error as Error).stack ?? String(error)}`);
          process.exitCode = 1;
        }
      }
    }
  }
}
