/**
 * What statistics need of a table that is dealt out by keys: each comparison, each family and each type of value wants all
 * rows of a key, which is another one each time.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import type { CellSums } from "../reduced/cell-sums.ts";
import type { Kind } from "../reduced/kinds.ts";
import type { ReducedInfo, ReducedTable } from "../reduced/reduced-table.ts";
import type { ShardColumn } from "../reduced/shards.ts";
import type { SliceAsk, SliceFiles, SliceRule } from "../reduced/table-slices.ts";
import { maskCommand } from "../text/masks.ts";
import { networkOf } from "../text/network.ts";
import type { SourceFamily } from "./keyed-rows.ts";
import { FAMILY_ROWS } from "./source-counts.ts";
import { hasSshKey } from "./stored-values.ts";
import { VALUE_TYPES, type ValueType } from "./value-rows.ts";

const address: ShardColumn[] = [{ name: "src_ip" }];

export const SLICE_RULES = {
  /** Kinds by their own keys; events by their id alone. */
  keys: {
    by: {
      login: "key",
      command: "key",
      pre_disconnect_command: [{ name: "input" }],
      connect: "key",
      session_closed: "key",
      file_download: "key",
      file_upload: "key",
      proxy_request: "key",
      client: "key",
      event: [{ name: "eventid" }],
    },
  },
  username: { by: { login: [{ name: "username" }] } },
  password: { by: { login: [{ name: "password" }] } },
  program: { by: { command: [{ name: "input", textOf: FAMILY_ROWS.program.textOf }] } },
  masked: { by: { command: [{ name: "input", textOf: maskCommand }] } },
  address: { by: { connect: address, session_closed: address, proxy_request: address }, unconnected: ["session_closed"] },
  network: { by: { connect: [{ name: "src_ip", textOf: networkOf }] } },
  destination: { by: { proxy_request: [{ name: "dst_ip" }, { name: "dst_port" }] } },
  /** Files, verdicts on them, and SSH keys: few in any archive, and told together. */
  few: { by: { file_download: [], file_upload: [], client_key: [], command: [], scan: [] }, only: { command: hasSshKey } },
} as const satisfies Record<string, SliceRule>;
export type SliceName = keyof typeof SLICE_RULES;

const OF_FAMILY: Readonly<Record<SourceFamily, SliceName>> = {
  username: "username",
  password: "password",
  program: "program",
  hash: "few",
  client_key: "few",
  subnet: "network",
  destination: "destination",
};

const OF_TYPE: Readonly<Record<ValueType, { readonly name: SliceName; readonly kind: Kind }>> = {
  address: { name: "address", kind: "connect" },
  credential: { name: "keys", kind: "login" },
  command: { name: "masked", kind: "command" },
  hash: { name: "few", kind: "file_download" },
  urlHost: { name: "few", kind: "file_download" },
  clientVersion: { name: "keys", kind: "client" },
  hassh: { name: "keys", kind: "client" },
  sshKey: { name: "few", kind: "client_key" },
};

/** What one task reads of a table that is dealt out. */
export interface StatisticsSlices {
  /** Of the table as a whole; codes of sensors are places in its list of them. */
  readonly info: ReducedInfo;
  readonly cells: CellSums;
  read(name: SliceName, ask?: SliceAsk): ReducedTable;
  /** See `SliceFiles.hashOf`. */
  hashOf(name: SliceName, kind: Kind, values: readonly (string | number | null)[]): number;
}

export function toSlices(files: SliceFiles, cells: CellSums): StatisticsSlices {
  return {
    info: files.info,
    cells,
    read: (name, ask) => files.read(SLICE_RULES[name], ask),
    hashOf: (name, kind, values) => files.hashOf(SLICE_RULES[name], kind, values),
  };
}

/** What is looked at together: a slice, and which kinds of it. */
export interface Holding {
  readonly name: SliceName;
  readonly kinds: readonly Kind[];
  /** Whether nobody asks when its rows were seen first and last, nor what succeeded. */
  readonly withoutTimes: boolean;
}

/** Of what these are dealt out by nothing but sources is counted. */
const WITHOUT_TIMES: readonly SliceName[] = ["username", "password", "program", "network", "destination"];

export const HOLDINGS: readonly Holding[] = (Object.keys(SLICE_RULES) as SliceName[]).flatMap((name): Holding[] => {
  const kinds = Object.keys(SLICE_RULES[name].by) as Kind[];
  const withoutTimes = WITHOUT_TIMES.includes(name);
  // Addresses, and what is told together, come from several kinds.
  return name === "address" || name === "few" ? [{ name, kinds, withoutTimes }] : kinds.map(kind => ({ name, kinds: [kind], withoutTimes }));
});

/** Families of keys, and types of value, that a slice is looked at for. */
export function sourcesIn(name: SliceName): SourceFamily[] {
  return (Object.keys(OF_FAMILY) as SourceFamily[]).filter(family => OF_FAMILY[family] === name);
}

export function typesIn(name: SliceName, kinds: readonly Kind[]): ValueType[] {
  return VALUE_TYPES.filter(type => OF_TYPE[type].name === name && kinds.includes(OF_TYPE[type].kind));
}
