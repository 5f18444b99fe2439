/** Several sessions in short. */
import { toIsoInstant } from "../text/format.ts";
import { compareText } from "../text/text.ts";
import { describeOrigin } from "../origin/origins.ts";
import { type Credential, dayOfStory, type FileSeen, type Story } from "./story.ts";

/** A value and how often it was seen. */
export interface SeenValue<T> {
  readonly value: T;
  readonly count: number;
  /** In how many sessions. */
  readonly sessions: number;
}

/** Several sessions in short. */
export interface StorySummary {
  readonly sessions: number;
  readonly firstUs: number;
  readonly lastUs: number;
  readonly days: number;
  readonly sensors: readonly string[];
  readonly addresses: readonly string[];
  /** Origins in words, with how many of the addresses each has; none where no database was named. */
  readonly origins: readonly { readonly text: string; readonly addresses: number }[];
  readonly loginsTried: number;
  readonly loginsLetIn: number;
  /** By count falling, then in order of first sight; the same for what follows. */
  readonly credentials: readonly (SeenValue<Credential> & { readonly letIn: number })[];
  readonly commands: readonly SeenValue<string>[];
  readonly files: readonly SeenValue<FileSeen>[];
  readonly versions: readonly SeenValue<string>[];
  readonly hasshes: readonly SeenValue<string>[];
  readonly forwards: number;
}

/** @param stories At least one. */
export function summarize(stories: readonly Story[]): StorySummary {
  const credentials = tally(stories, story => story.logins, keyOf);
  const letIn = new Map<string, number>();
  let loginsTried = 0;
  let loginsLetIn = 0;
  for (const { logins } of stories) {
    for (const login of logins) {
      loginsTried++;
      if (!login.isLetIn) continue;
      loginsLetIn++;
      const key = keyOf(login);
      letIn.set(key, (letIn.get(key) ?? 0) + 1);
    }
  }
  return {
    sessions: stories.length,
    firstUs: stories.reduce((least, { startUs }) => Math.min(least, startUs), Infinity),
    lastUs: stories.reduce((most, { endUs }) => Math.max(most, endUs), -Infinity),
    days: new Set(stories.map(dayOfStory)).size,
    sensors: [...new Set(stories.map(({ sensor }) => sensor))].sort(),
    addresses: [...new Set(stories.flatMap(({ address }) => (address === undefined ? [] : [address])))].sort(),
    origins: tallyOrigins(stories),
    loginsTried,
    loginsLetIn,
    credentials: credentials.map(entry => ({ ...entry, letIn: letIn.get(keyOf(entry.value)) ?? 0 })),
    commands: tally(
      stories,
      story => story.commands,
      text => text,
    ),
    files: tally(
      stories,
      story => story.files,
      ({ hash, name, isUpload }) => JSON.stringify([hash, name, isUpload]),
    ),
    versions: tally(
      stories,
      story => story.versions,
      text => text,
    ),
    hasshes: tally(
      stories,
      story => story.hasshes,
      text => text,
    ),
    forwards: stories.reduce((sum, story) => sum + story.forwards, 0),
  };
}

/** Names a credential; where the username ends, its length tells. */
function keyOf({ username, password }: Credential): string {
  return `${username.length} ${username}${password === null ? "" : ` ${password}`}`;
}

function tallyOrigins(stories: readonly Story[]): StorySummary["origins"] {
  const addresses = new Map<string, Set<string>>();
  for (const { address, origin } of stories) {
    if (address === undefined || origin === undefined) continue;
    const text = describeOrigin(origin) || "unknown";
    addresses.set(text, (addresses.get(text) ?? new Set()).add(address));
  }
  return [...addresses]
    .map(([text, own]) => ({ text, addresses: own.size }))
    .sort((a, b) => b.addresses - a.addresses || compareText(a.text, b.text));
}

function tally<T>(
  stories: readonly Story[],
  pick: (story: Story) => readonly T[],
  key: (value: T) => string,
): SeenValue<T>[] {
  const tallies = new Map<string, { value: T; count: number; sessions: number; last: number }>();
  stories.forEach((story, i) => {
    for (const value of pick(story)) {
      const id = key(value);
      const known = tallies.get(id) ?? { value, count: 0, sessions: 0, last: -1 };
      known.count++;
      if (known.last !== i) known.sessions++;
      known.last = i;
      tallies.set(id, known);
    }
  });
  return [...tallies.values()]
    .sort((a, b) => b.count - a.count)
    .map(({ value, count, sessions }) => ({ value, count, sessions }));
}

/** The summary for programs. */
export function summaryToJson(summary: StorySummary): Record<string, unknown> {
  return {
    sessions: summary.sessions,
    first_seen: toIsoInstant(summary.firstUs),
    last_seen: toIsoInstant(summary.lastUs),
    days: summary.days,
    sensors: summary.sensors,
    addresses: summary.addresses,
    ...(summary.origins.length > 0 && { origins: summary.origins }),
    logins: { tried: summary.loginsTried, let_in: summary.loginsLetIn },
    credentials: summary.credentials.map(({ value: { username, password }, count, letIn }) => ({
      username,
      password,
      count,
      success: letIn,
    })),
    commands: summary.commands.map(({ value: input, count, sessions }) => ({ input, count, sessions })),
    files: summary.files.map(({ value: { hash, name, isUpload, verdict }, count }) => ({
      shasum: hash,
      name,
      is_upload: isUpload,
      verdict: verdict === undefined ? null : { positives: verdict.positives, total: verdict.total },
      count,
    })),
    versions: summary.versions.map(({ value: version, sessions }) => ({ version, sessions })),
    hassh: summary.hasshes.map(({ value: hassh, sessions }) => ({ hassh, sessions })),
    forwards: summary.forwards,
  };
}
