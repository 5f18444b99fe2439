/**
 * The sessions of a log that the kernel reads, gathered in the kernel while it does: as `readSessions` reads them from the
 * finished table, without another walk over the events.
 */
import { Dictionary, textOf } from "../columns/dictionary.ts";
import { pickTexts, recodeInPlace } from "../columns/pick-texts.ts";
import type { RowWatcher } from "../events/event-rows.ts";
import type { BuiltEventTable } from "../events/event-table.ts";
import { NORMALIZE, type TextColumn } from "../events/schema.ts";
import { type KernelColumns, KernelGathering } from "../kernel/gathering.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { COLUMN_EVENTID } from "../kernel/layout.ts";
import { DURATION_STEPS } from "../text/duration-steps.ts";
import { type LogSessions, NO_TEXTS, numberTexts, type SessionTexts, TELLS, type Trace, TRACES } from "./log-sessions.ts";
import { activitiesOf, joinReached, type LogReach, REACH_BITS } from "./slot-reach.ts";

/** A log with more sessions, commands or traces is left to the plain path. */
const HELD_MAX = 1 << 21;

const STEPS = DURATION_STEPS.map(({ below }) => below);
const KINDS = Object.entries(TRACES) as readonly [Trace["what"], readonly [TextColumn, TextColumn]][];

/** To be given to `mapLog`; then its sessions are there, unless the log was read without the kernel. */
export class KernelSessions implements RowWatcher {
  readonly #heldMax: number;
  #gathering: KernelGathering | undefined;
  #eventids = 0;
  #columns: KernelColumns | undefined;

  /** @param heldMax Of what the kernel gives up, if a log has more of it. */
  constructor(heldMax = HELD_MAX) {
    this.#heldMax = heldMax;
  }

  start(kernel: Kernel): void {
    this.#gathering = new KernelGathering(kernel, STEPS, this.#heldMax);
  }

  rows(kernel: Kernel): void {
    if (this.#gathering === undefined) return;
    for (const count = kernel.textsOf(COLUMN_EVENTID); this.#eventids < count; this.#eventids++) {
      const id = NORMALIZE.eventid!(textOf(kernel.textsAt(COLUMN_EVENTID), this.#eventids));
      const activities = activitiesOf(id).reduce((bits, place) => bits | (1 << place), 0);
      this.#gathering.addEventid({ tells: TELLS.get(id) ?? 0, reach: REACH_BITS.get(id) ?? 0, activities });
    }
    // A log with too much for it is walked again, once it is read.
    if (!this.#gathering.read()) this.#gathering = undefined;
  }

  end(): void {
    this.#columns = this.#gathering?.take();
  }

  /** The sessions; undefined if the kernel did not gather them. @param table Of the same log. */
  takeSessions(table: BuiltEventTable): LogSessions | undefined {
    const columns = this.#columns;
    this.#columns = undefined;
    return columns && toSessions(columns, table);
  }
}

/** The columns with the texts that their codes stand for in the finished table. */
function toSessions(columns: KernelColumns, { dictionaries, recodes }: BuiltEventTable): LogSessions {
  const { session, credential, inputs, traces, sensors, credentials, reach, ...same } = columns;
  const text = (column: TextColumn, code: number) => (code < 0 ? "" : textOf(dictionaries.get(column)!, code));
  const numbered = (column: TextColumn, codes: Int32Array): SessionTexts => {
    recodeInPlace(codes, recodes?.get(column));
    return numberTexts(dictionaries.get(column), codes);
  };
  const reached = toReach(reach, recodes?.get("src_ip"));
  const reachAddresses = numberTexts(dictionaries.get("src_ip"), reached.address);
  return {
    ...same,
    ids: pickTexts(dictionaries.get("session") ?? NO_TEXTS, session),
    sensors: Array.from(sensors, code => text("sensor", code)),
    address: numbered("src_ip", columns.address),
    hassh: numbered("hassh", columns.hassh),
    version: numbered("version", columns.version),
    credential: toCredentials(credential, Array.from(credentials.username, (username, i) => [text("username", username), text("password", credentials.password[i]!)])),
    inputs: pickTexts(dictionaries.get("input") ?? NO_TEXTS, inputs),
    traces: Array.from(traces.kind, (kind, i): Trace => {
      const [what, [column, more]] = KINDS[kind]!;
      return { what, text: text(column, traces.code[i]!), beside: text(more, traces.beside[i]!) };
    }),
    reach: { ...reached, address: reachAddresses.codes },
    reachAddresses: reachAddresses.texts,
  };
}

/** Two pairs may be one text: there are names with a NUL in them. */
function toCredentials(codes: Int32Array, pairs: readonly (readonly [string, string])[]): SessionTexts {
  const texts = new Dictionary();
  recodeInPlace(codes, Int32Array.from(pairs, ([username, password]) => texts.internText(`${username}\u0000${password}`)));
  return numberTexts(texts, codes);
}

/** Addresses that became equal are counted together. */
function toReach(reach: LogReach, recode: Int32Array | undefined): LogReach {
  if (recode === undefined) return reach;
  recodeInPlace(reach.address, recode);
  return joinReached(reach);
}
