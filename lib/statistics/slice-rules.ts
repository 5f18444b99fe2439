/**
 * What statistics need of a table that is dealt out by keys: each comparison, each family and each type of value wants all
 * rows of a key, which is another one each time.
 *
 * Tested in `test/lib/statistics/sharded-statistics.test.ts`.
 */
import { KINDS } from "../reduced/kinds.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import type { ShardColumn } from "../reduced/shards.ts";
import type { SliceRule } from "../reduced/table-slices.ts";
import { maskCommand } from "../text/masks.ts";
import { networkOf } from "../text/network.ts";
import type { SourceFamily } from "./keyed-rows.ts";
import { FAMILY_ROWS } from "./source-counts.ts";
import type { StatisticsTables } from "./statistics.ts";
import { hasSshKey } from "./stored-values.ts";
import type { ValueType } from "./value-rows.ts";

const whole = (kind: keyof typeof KINDS): ShardColumn[] => KINDS[kind].map(name => ({ name }));
const network: ShardColumn[] = [{ name: "src_ip", textOf: networkOf }];

export const SLICE_RULES = {
  /** Kinds by their own keys; events by their id alone. */
  keys: {
    by: {
      login: whole("login"),
      command: whole("command"),
      pre_disconnect_command: whole("pre_disconnect_command"),
      connect: whole("connect"),
      session_closed: whole("session_closed"),
      file_download: whole("file_download"),
      file_upload: whole("file_upload"),
      proxy_request: whole("proxy_request"),
      client: whole("client"),
      event: [{ name: "eventid" }],
    },
  },
  username: { by: { login: [{ name: "username" }] } },
  password: { by: { login: [{ name: "password" }] } },
  program: { by: { command: [{ name: "input", textOf: FAMILY_ROWS.program.textOf }] } },
  masked: { by: { command: [{ name: "input", textOf: maskCommand }] } },
  network: { by: { connect: network, session_closed: network, proxy_request: network } },
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

const OF_TYPE: Readonly<Record<ValueType, SliceName>> = {
  address: "network",
  credential: "keys",
  command: "masked",
  hash: "few",
  urlHost: "few",
  clientVersion: "keys",
  hassh: "keys",
  sshKey: "few",
};

export function toStatisticsTables(slices: Readonly<Record<SliceName, ReducedTable>>): StatisticsTables {
  return { ofKind: () => slices.keys, ofFamily: family => slices[OF_FAMILY[family]], ofType: type => slices[OF_TYPE[type]], markedFrom: 0 };
}
