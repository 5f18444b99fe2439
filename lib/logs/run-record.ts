/**
 * What a run was made from, kept for the next: where logs, options and program are the same and the outputs are as they
 * were left, there is nothing to do but to say so.
 *
 * Told by a look at the file system alone: of each log and each output device, inode, size, time of its content and of its
 * last change, which nobody but root can set. Whatever could make another outcome is in one hash, so that a change nobody
 * thought of makes a run, never a wrong answer. The record is sealed with the user's key (`kept-texts.ts`), and holds what
 * that run told.
 */
import { readdirSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { stateOf } from "../columns/regular-file.ts";
import type { ExitCode } from "../process/cli.ts";
import { readKeptText, writeKeptText } from "../process/kept-texts.ts";
import { programState } from "../process/program-state.ts";
import type { FoundLogs } from "./find-logs.ts";

const PURPOSE = "runs";
/** A time without a fraction may be one of whole or even two seconds, as some file systems have them. */
const COARSE_TICK_NS = 2_000_000_000n;
/** Others tell times by a clock that ticks every hundredth of a second at the slowest. */
const FINE_TICK_NS = 20_000_000n;

/** What decides what a run writes, beside the logs and the program. */
export interface RunShape {
  readonly command: string;
  /** As the user named them. */
  readonly inputs: readonly string[];
  /** Options and what was read from files they name: whatever JSON can hold. */
  readonly settings: unknown;
  readonly outputs: readonly string[];
}

/** A line that was told; a problem is told whatever was asked for. */
export interface Told {
  readonly line: string;
  readonly isProblem: boolean;
}

/** How a run ended. */
export interface RunOutcome {
  readonly exitCode: ExitCode;
  /** In order. */
  readonly told: readonly Told[];
  /** For a person, and for a program. */
  readonly text: string;
  readonly summary: Record<string, unknown>;
  /** Told behind them, whatever was asked for. */
  readonly lastWord?: string;
}

/** {@link RunOutcome} as it is kept. */
interface KeptRun extends RunOutcome {
  readonly madeFrom: string;
  /** When it ended, milliseconds since 1970. */
  readonly endMs: number;
  readonly outputs: readonly string[];
  /** Names of the event tables it left, by folder. */
  readonly tables: Record<string, readonly string[]>;
}

export type KnownRun = RunOutcome & Pick<KeptRun, "endMs">;

/** One run and the record of the one before it. */
export class RunRecord {
  readonly #shape: RunShape;
  readonly #found: FoundLogs;
  readonly #madeFrom: string;

  /** @param found The logs as they are before anything is read of them: what is written to them later is seen next time. */
  constructor(shape: RunShape, found: FoundLogs) {
    this.#shape = shape;
    this.#found = found;
    this.#madeFrom = hashInputs(shape, found);
  }

  /** The run before, if this one would make what that one has made and nobody has touched since. */
  find(): KnownRun | undefined {
    const text = readKeptText(PURPOSE, this.#name);
    if (text === undefined) return undefined;
    // Our own word, by our key.
    const run = JSON.parse(text) as KeptRun;
    const outputs = statesOf(this.#shape.outputs);
    const isSame =
      run.madeFrom === this.#madeFrom &&
      outputs !== undefined &&
      outputs.length === run.outputs.length &&
      outputs.every((state, i) => state === run.outputs[i]) &&
      // They belong to what a run leaves: where some were removed, they are made again.
      Object.entries(run.tables).every(([folder, names]) => areIn(folder, names));
    return isSame ? run : undefined;
  }

  /**
   * Keep how this run ended; nothing is kept where the next could not know that nothing has changed.
   *
   * @param tables Paths of the event tables.
   */
  keep(outcome: RunOutcome, tables: readonly string[], endMs = Date.now()): void {
    const outputs = statesOf(this.#shape.outputs);
    const lookedNs = BigInt(Math.floor(this.#found.beganMs)) * 1_000_000n;
    if (outputs === undefined || !this.#found.states.every(state => isSettled(state, lookedNs))) return;
    const run: KeptRun = { ...outcome, madeFrom: this.#madeFrom, endMs, outputs, tables: byFolder(tables) };
    writeKeptText(PURPOSE, this.#name, JSON.stringify(run));
  }

  /** One record for each set of outputs. */
  get #name(): string {
    const { command, outputs } = this.#shape;
    return sha256([command, ...outputs.map(path => resolve(path))]);
  }
}

/** Whether a log that is written to after the look will be seen to have been: not within one tick of its clock. */
function isSettled(state: string | undefined, lookedNs: bigint): boolean {
  if (state === undefined) return false;
  const times = state.split(" ").slice(-2).map(BigInt);
  return times.every(ns => lookedNs - ns > (ns % 1_000_000_000n === 0n ? COARSE_TICK_NS : FINE_TICK_NS));
}

function hashInputs({ command, inputs, settings, outputs }: RunShape, found: FoundLogs): string {
  const { paths, states, notices, empty, leftOut } = found;
  // Where a path leads, the folder decides in which a run begins.
  const told = JSON.stringify([inputs, settings, outputs, notices, empty, leftOut]);
  return sha256([programState(), command, resolve("."), told, ...paths, ...states.map(String)]);
}

function sha256(texts: readonly string[]): string {
  // No path, and no state, holds NUL.
  return new Bun.CryptoHasher("sha256").update(texts.join("\0")).digest("hex");
}

/** State of each output; undefined if one is no file. */
function statesOf(outputs: readonly string[]): string[] | undefined {
  const stats = outputs.map(path => statSync(path, { bigint: true, throwIfNoEntry: false }));
  return stats.every(stat => stat?.isFile()) ? stats.map(stat => stateOf(stat!)) : undefined;
}

function byFolder(paths: readonly string[]): Record<string, string[]> {
  const folders: Record<string, string[]> = Object.create(null);
  for (const path of paths) (folders[dirname(path)] ??= []).push(basename(path));
  return folders;
}

/** Whether a folder has all of these names; where there are many, one listing costs less than a look at each. */
function areIn(folder: string, names: readonly string[]): boolean {
  try {
    const there = new Set(readdirSync(folder));
    return names.every(name => there.has(name));
  } catch {
    // Gone, with all that was in it.
    return false;
  }
}
