/**
 * Logs that hold the same text, or the beginning of another's, told by their bytes: on one node or on several, where an
 * archive is mounted twice or a log was copied while it grew.
 *
 * Equal hashes of the whole text say so at once. Where two logs only begin with the same line, the nodes that have them
 * are asked: for a first piece, and for the hash of as much of the longer one as the shorter one holds. What cannot be
 * proven is not left out.
 */
import { randomBytes } from "node:crypto";
import type { SourceInfo } from "../events/source.ts";
import { hashingMs } from "./fetch-parts.ts";
import type { Connection } from "../ssh/connection.ts";
import { quoteWord } from "../text/shell.ts";
import { SshError } from "../ssh/ssh-error.ts";
import { quoteForMessage } from "../text/text.ts";
import type { EventCopy } from "../logs/event-copies.ts";

/** A log that may be a copy. */
export interface CopyCandidate {
  readonly source: SourceInfo;
}

/** What is asked about a log's text, unpacked: its first bytes, or their hash. */
export interface TextQuestion<Log> {
  readonly log: Log;
  readonly bytes: number;
  readonly wants: "text" | "hash";
}

/** Why a log is left out. */
export interface CopyOf<Log> {
  readonly original: Log;
  readonly how: "the same text as" | "the beginning of" | EventCopy<Log>["how"];
}

/** Piece by which most logs are told apart; as long a log is compared without any hash. */
const PIECE_BYTES = 1 << 16;
/** Families of logs that agree in their first piece and differ later are rare, ever more of them rarer. */
const ROUNDS_MAX = 8;

/**
 * Find the logs that are copies of others or their beginning.
 *
 * @param logs Of equal ones the first stays.
 * @param ask Answers in the order of the questions; undefined where there is no answer.
 * @param onUnproven Told of logs that begin alike and could not be compared.
 */
export async function findCopies<Log extends CopyCandidate>(
  logs: readonly Log[],
  ask: (questions: readonly TextQuestion<Log>[]) => Promise<readonly (Buffer | undefined)[]>,
  onUnproven: (log: Log, longer: Log) => void = () => {},
): Promise<Map<Log, CopyOf<Log>>> {
  const copies = new Map<Log, CopyOf<Log>>();
  const firsts = new Map<string, Log>();
  for (const log of logs) {
    const id = `${log.source.wholeHash} ${log.source.sizeBytes}`;
    const original = firsts.get(id);
    if (original === undefined) firsts.set(id, log);
    else copies.set(log, { original, how: "the same text as" });
  }
  const groups = [...Map.groupBy(firsts.values(), ({ source }) => source.headHash).values()];
  const pieces = await askPieces(groups.filter(({ length }) => length > 1).flat(), ask);
  // The longest first: whatever opens another log opens the longest of its family.
  let families = groups.map(group =>
    group.filter(log => pieces.has(log)).sort((a, b) => b.source.sizeBytes - a.source.sizeBytes),
  );
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    families = families.filter(({ length }) => length > 1);
    const pairs = families.flatMap(([longest, ...rest]) => {
      const open = rest.filter(({ source }) => source.sizeBytes < longest!.source.sizeBytes);
      return open.map(log => ({ log, longest: longest! })).filter(({ log }) => isOpening(pieces, log, longest!));
    });
    const large = pairs.filter(({ log }) => log.source.sizeBytes > PIECE_BYTES);
    const questions = large.flatMap(({ log, longest }) =>
      [log, longest].map(asked => ({ log: asked, bytes: log.source.sizeBytes, wants: "hash" as const })),
    );
    const hashes = questions.length === 0 ? [] : await ask(questions);
    const isUnproven = new Set<Log>();
    for (const [i, { log, longest }] of large.entries()) {
      const [own, other] = [hashes[2 * i], hashes[2 * i + 1]];
      if (own === undefined || other === undefined) onUnproven(log, longest);
      if (own === undefined || other === undefined || !own.equals(other)) isUnproven.add(log);
    }
    for (const { log, longest } of pairs) {
      if (!isUnproven.has(log)) copies.set(log, { original: longest, how: "the beginning of" });
    }
    families = families.map(([, ...rest]) => rest.filter(log => !copies.has(log)));
  }
  // What a copy is a copy of may be a beginning itself.
  for (const [log, copy] of copies) {
    let { original } = copy;
    while (copies.has(original)) original = copies.get(original)!.original;
    copies.set(log, { ...copy, original });
  }
  return copies;
}

/** Say that nobody knows whether a log is a copy. */
export function describeUnproven(log: CopyCandidate, longer: CopyCandidate): string {
  const [name, other] = [log, longer].map(({ source }) => quoteForMessage(source.path));
  return `${name} may hold the beginning of ${other}, which could not be found out: both count`;
}

/** First pieces of logs, of those that could be had whole. */
async function askPieces<Log extends CopyCandidate>(
  logs: readonly Log[],
  ask: (questions: readonly TextQuestion<Log>[]) => Promise<readonly (Buffer | undefined)[]>,
): Promise<Map<Log, Buffer>> {
  const bytesOf = ({ source }: Log) => Math.min(PIECE_BYTES, source.sizeBytes);
  const answers =
    logs.length === 0 ? [] : await ask(logs.map(log => ({ log, bytes: bytesOf(log), wants: "text" as const })));
  const pieces = new Map<Log, Buffer>();
  for (const [i, log] of logs.entries()) {
    const piece = answers[i];
    if (piece !== undefined && piece.length === bytesOf(log)) pieces.set(log, piece);
  }
  return pieces;
}

function isOpening<Log>(pieces: ReadonlyMap<Log, Buffer>, log: Log, longest: Log): boolean {
  const piece = pieces.get(log)!;
  return pieces.get(longest)!.subarray(0, piece.length).equals(piece);
}

/** Questions put to a node in one command. */
const QUESTIONS_MAX = 64;
/** What is hashed where a log is gone, or cannot be unpacked: two of them are not the same log. */
const HASH_OF_NOTHING = new Bun.CryptoHasher("sha256").digest("hex");

/**
 * Have a node answer questions about its logs.
 *
 * @param questions Their logs by path, every byte one character.
 * @throws {SshError} if the node does not come to an end with them.
 */
export async function answerQuestions(
  connection: Connection,
  questions: readonly TextQuestion<{ readonly remotePath: string }>[],
  sudo: boolean,
): Promise<(Buffer | undefined)[]> {
  const answers: (Buffer | undefined)[] = [];
  for (let at = 0; at < questions.length; at += QUESTIONS_MAX) {
    const batch = questions.slice(at, at + QUESTIONS_MAX);
    const mark = randomBytes(16).toString("hex");
    // Each answer is a sign of life.
    const hashed = Math.max(...batch.map(({ bytes, wants }) => (wants === "hash" ? bytes : 0)));
    const { stdout } = await connection.run(Buffer.from(questionScript(batch, mark), "latin1"), {
      sudo,
      maxBytes: batch.length * (PIECE_BYTES + 256),
      timeoutMs: connection.timeoutMs + hashingMs(hashed),
    });
    let from = 0;
    for (const { wants } of batch) {
      const end = stdout.indexOf(mark, from);
      if (end < 0) throw new SshError("lost", "the answer broke off");
      const answer = stdout.subarray(from, end);
      from = end + mark.length;
      const hash = wants === "hash" ? /^[0-9a-f]{64}/.exec(answer.toString("latin1"))?.[0] : undefined;
      const isHash = hash !== undefined && hash !== HASH_OF_NOTHING;
      answers.push(wants === "text" ? answer : isHash ? Buffer.from(hash, "hex") : undefined);
    }
  }
  return answers;
}

function questionScript(questions: readonly TextQuestion<{ readonly remotePath: string }>[], mark: string): string {
  const lines = questions.map(({ log, bytes, wants }) => {
    const hash = wants === "hash" ? " | hash" : "";
    return `text ${quoteWord(log.remotePath)} | head -c ${bytes}${hash}; printf ${mark}`;
  });
  // Packed logs are told by their first bytes, as they are everywhere; SHA-256 has many names.
  return `
hash() {
  if command -v sha256sum >/dev/null; then sha256sum
  elif command -v sha256 >/dev/null; then sha256 -q
  elif command -v shasum >/dev/null; then shasum -a 256
  else openssl dgst -sha256 -r
  fi
}
text() {
  case $(head -c 4 <"$1" | od -A n -t x1 | tr -d ' \\n') in
    1f8b*) nice gzip -dc <"$1" ;;
    28b52ffd) nice zstd -dqc <"$1" ;;
    *) nice cat <"$1" ;;
  esac
}
{
${lines.join("\n")}
} 2>/dev/null
`;
}
