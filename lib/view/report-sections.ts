/**
 * The sections of a report: which kind each shows, by which columns, and in which words.
 *
 * Tested in `test/lib/view/report-data.test.ts`.
 */
import { KIND_SPECS } from "../reduced/kinds.ts";
import type { ShownColumn, ShownKind } from "../reduced/origin-kinds.ts";

export interface Section {
  readonly id: string;
  readonly kind: ShownKind;
  /** Rows are grouped by these columns of the kind's key. */
  readonly columns: readonly ShownColumn[];
  /** Rows without a value in this column do not belong here. */
  readonly needs?: ShownColumn;
  /** Sections before it that are about the same thing, and may say all it says: see `findFolds`. */
  readonly like?: readonly string[];
  /** In the list of sections. */
  readonly name: string;
  /** The question the section answers. */
  readonly heading: string;
  /** What is counted. */
  readonly unit: string;
  readonly lead: string;
  /** Events that have the key, by which sessions are found behind it; without them the section leads to none. */
  readonly eventids?: readonly string[];
}

export const SECTIONS: readonly Section[] = [
  {
    id: "credentials",
    kind: "login",
    columns: ["username", "password"],
    name: "Credentials",
    heading: "Which credentials lead, and when do they change?",
    unit: "login attempts",
    lead: "Login attempts by user name and password.",
    eventids: KIND_SPECS.login.eventids,
  },
  {
    id: "commands",
    kind: "command",
    columns: ["input"],
    name: "Commands",
    heading: "What do intruders type?",
    unit: "commands",
    lead: "Command lines entered after login.",
    eventids: KIND_SPECS.command.eventids,
  },
  {
    id: "last-commands",
    kind: "pre_disconnect_command",
    columns: ["input"],
    like: ["commands"],
    name: "Last commands",
    heading: "Which command comes last?",
    unit: "sessions",
    lead: "The last command line of each session, counted once per session.",
  },
  {
    id: "connections",
    kind: "connect",
    columns: ["src_ip", "dst_port"],
    name: "Connections",
    heading: "Who connects, and to which port?",
    unit: "connections",
    lead: "Connections by source address and port of the sensor.",
    eventids: KIND_SPECS.connect.eventids,
  },
  {
    id: "countries",
    kind: "country",
    columns: ["country"],
    like: ["connections"],
    name: "Countries",
    heading: "From which countries?",
    unit: "connections",
    lead: "Connections by the country of their source address: where the network is said to be, not who sits behind it.",
  },
  {
    id: "networks",
    kind: "network",
    columns: ["network"],
    like: ["countries", "connections"],
    name: "Networks",
    heading: "From which networks?",
    unit: "connections",
    lead: "Connections by the network (autonomous system) of their source address, and who has it.",
  },
  {
    id: "lengths",
    kind: "session_closed",
    columns: ["robot"],
    name: "Session lengths",
    heading: "How long do sessions last?",
    unit: "sessions",
    lead: "Closed sessions: short ones end within the limit of --robot-max-seconds (10 unless set, see Provenance), all others are long. Length does not tell who is behind a session.",
  },
  {
    id: "sessions",
    kind: "session_closed",
    columns: ["src_ip", "robot"],
    like: ["connections"],
    name: "Sessions",
    heading: "Which addresses hold the most sessions?",
    unit: "sessions",
    lead: "Closed sessions by source address.",
    eventids: KIND_SPECS.session_closed.eventids,
  },
  {
    id: "downloads",
    kind: "file_download",
    columns: ["url", "outfile", "shasum"],
    name: "Downloads",
    heading: "Which files do they download?",
    unit: "downloads",
    lead: "Files downloaded by intruders, with VirusTotal's verdict where the logs hold one. Addresses are text, not links.",
    eventids: KIND_SPECS.file_download.eventids,
  },
  {
    id: "uploads",
    kind: "file_upload",
    columns: ["filename", "shasum"],
    name: "Uploads",
    heading: "Which files do they upload?",
    unit: "uploads",
    lead: "Files sent to the sensor over SFTP or SCP.",
    eventids: KIND_SPECS.file_upload.eventids,
  },
  {
    id: "proxy",
    kind: "proxy_request",
    columns: ["src_ip", "dst_ip", "dst_port"],
    name: "Proxy requests",
    heading: "Which targets do they try to reach through the sensors?",
    unit: "requests",
    lead: "Requests to forward a TCP connection through the sensor.",
    eventids: KIND_SPECS.proxy_request.eventids,
  },
  {
    id: "versions",
    kind: "client",
    columns: ["version"],
    needs: "version",
    name: "Client versions",
    heading: "Which clients do they claim to be?",
    unit: "clients",
    lead: "Version texts that SSH clients sent.",
    eventids: ["cowrie.client.version"],
  },
  {
    id: "hassh",
    kind: "client",
    columns: ["hassh"],
    needs: "hassh",
    like: ["versions"],
    name: "HASSH",
    heading: "Which clients are they, by their key exchange?",
    unit: "clients",
    lead: "HASSH fingerprints of the clients' key exchange: harder to fake than a version text.",
    eventids: ["cowrie.client.kex"],
  },
  {
    id: "keys",
    kind: "ssh_key",
    columns: ["key_print", "planted", "key_type"],
    name: "SSH keys",
    heading: "Which SSH keys do they plant and offer?",
    unit: "uses",
    lead: "Public keys in commands, which plant them, and those that clients offered. A key planted on one sensor and offered on another ties both together.",
  },
  {
    id: "events",
    kind: "event",
    columns: ["eventid"],
    name: "Event types",
    heading: "What do the sensors record?",
    unit: "events",
    lead: "All events by type.",
  },
];

/** What a key column is called above a table's column. */
export const COLUMN_HEADINGS: Readonly<Record<ShownColumn, string>> = {
  country: "Country",
  network: "Network",
  username: "User name",
  password: "Password",
  input: "Command",
  src_ip: "Source address",
  dst_ip: "Target",
  url: "URL",
  outfile: "Stored as",
  shasum: "SHA-256",
  filename: "File name",
  version: "Version",
  hassh: "HASSH",
  key: "SSH key",
  fingerprint: "Fingerprint",
  planted: "Way",
  key_type: "Type",
  key_print: "Key",
  eventid: "Event type",
  session: "Session",
  source: "Source",
  dst_port: "Port",
  robot: "Length",
  hour: "Hour",
  positives: "Positives",
  total: "Engines",
  line: "Line",
};

/** What is shown where a key has no value; set in another type than data, which may hold the same words. */
export const NO_VALUE: Readonly<Partial<Record<ShownColumn, string>>> = {
  country: "not in the database",
  network: "not in the database",
  password: "public key",
  url: "not from a URL",
  robot: "unknown",
  key_type: "not logged",
};
