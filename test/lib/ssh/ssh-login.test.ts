import { describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { join } from "node:path";
import { resolveHost, type SshHost } from "../../../lib/ssh/ssh-config.ts";
import { isPasswordPrompt, KeyRing, prepareLogin } from "../../../lib/ssh/ssh-login.ts";
import { makeTempDir } from "../../support/run.ts";
import { makeKey } from "../../support/sshd.ts";

const field = (value: string | Buffer) => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
/** The public half of a key that lies in a FIDO device. */
const SK_KEY = Buffer.concat([field("sk-ssh-ed25519@openssh.com"), field(Buffer.alloc(32, 7)), field("ssh:")]);

/** A private key file of a FIDO device: it holds no more than how to find the device's key. */
function skFile(): string {
  const secret = Buffer.concat([
    Buffer.alloc(8, 1),
    SK_KEY,
    Buffer.from([1]),
    field("handle"),
    field(""),
    field("comment"),
  ]);
  const padded = Buffer.concat([secret, Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, (8 - (secret.length % 8)) % 8))]);
  const one = Buffer.from([0, 0, 0, 1]);
  const all = [
    Buffer.from("openssh-key-v1\0"),
    field("none"),
    field("none"),
    field(""),
    one,
    field(SK_KEY),
    field(padded),
  ];
  const base64 = Buffer.concat(all).toString("base64").replace(/.{70}/g, "$&\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${base64}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/** Something that listens where an agent would, and answers as it is told. */
async function startFakeAgent(folder: string, answer: Buffer) {
  const path = join(folder, "agent");
  const server = createServer(socket => {
    socket.on("data", () => void socket.write(answer));
    socket.on("error", () => {});
  });
  await new Promise<void>(resolve => server.listen(path, () => resolve()));
  return { path, [Symbol.dispose]: () => void server.close() };
}

function listed(...keys: Buffer[]): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(keys.length);
  return field(Buffer.concat([Buffer.from([12]), count, ...keys.flatMap(key => [field(key), field("a comment")])]));
}

async function hostWith(parts: Partial<SshHost>): Promise<SshHost> {
  const host = await resolveHost({ host: "h", user: "u" }, { configFile: "none" });
  return { ...host, agent: undefined, identities: [], hasOwnIdentities: false, ...parts };
}

/** What would be offered, and what is said when nothing helped. */
async function offers(parts: Partial<SshHost>, ring = new KeyRing()) {
  const login = await prepareLogin(await hostWith(parts), ring, undefined);
  const types: string[] = [];
  for (let left: "publickey"[] | null = null, isEnded = false; !isEnded; left = ["publickey"]) {
    login.authHandler(left, false, method => {
      if (method === false) isEnded = true;
      else types.push((method as { type: string }).type);
    });
  }
  return { types: types.slice(1), text: login.describe() };
}

describe("keys that ssh2 cannot use are named", () => {
  test("a FIDO key in a file", async () => {
    await using dir = await makeTempDir();
    const file = join(dir.path, "id_ed25519_sk");
    await Bun.write(file, skFile());
    expect(await offers({ identities: [file], hasOwnIdentities: true })).toEqual({
      types: [],
      text: expect.stringContaining("FIDO keys (sk-...) are not supported; a key of another type helps"),
    });
  });

  test("a FIDO key in an agent", async () => {
    await using dir = await makeTempDir();
    using agent = await startFakeAgent(dir.path, listed(SK_KEY));
    expect((await offers({ agent: agent.path })).text).toContain(
      "FIDO keys (sk-...) are not supported, in an agent neither",
    );
  });

  test("a certificate beside a key", async () => {
    await using dir = await makeTempDir();
    const { file, publicLine } = await makeKey(join(dir.path, "id"));
    await Bun.write(`${file}-cert.pub`, publicLine);
    const { types, text } = await offers({ identities: [file], hasOwnIdentities: true });
    expect(types).toEqual(["publickey"]);
    expect(text).toContain("certificates of users are not supported");
  });

  const BAD: [what: string, text: string, says: string][] = [
    [
      "a public key",
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHKj+sVa9WcD/q2DJUJaf43Kptc8xYuUQA4bOFj9vC8T",
      "it is a public key",
    ],
    [
      "PKCS#8",
      "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHKj+sVa9WcD\n-----END PRIVATE KEY-----\n",
      "ssh-keygen -p",
    ],
    ["rubbish", "rubbish", "ssh-keygen -p"],
    ["nothing", "", "ssh-keygen -p"],
    ["half of a key", skFile().slice(0, 150), "ssh-keygen -p"],
    [
      "a broken body",
      "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n",
      "key ",
    ],
  ];
  test.each(BAD)("%s as a key file", async (_what, text, says) => {
    await using dir = await makeTempDir();
    const file = join(dir.path, "key");
    await Bun.write(file, text);
    expect(await offers({ identities: [file], hasOwnIdentities: true })).toEqual({
      types: [],
      text: expect.stringContaining(says),
    });
  });

  test("a folder, and nothing at all, as a key file", async () => {
    await using dir = await makeTempDir();
    const absent = join(dir.path, "absent");
    const { text } = await offers({ identities: [dir.path, absent], hasOwnIdentities: true });
    expect(text).toContain("it is a folder");
    expect(text).toContain(`there is no key "${absent}"`);
  });
});

describe("agents that are no good", () => {
  const ANSWERS: [what: string, answer: Buffer, says: string][] = [
    ["a locked one", field(Buffer.from([5])), "nothing to offer"],
    ["a list that is cut", field(Buffer.from([12, 0, 0, 0, 9, 0, 0, 0, 200, 1])), "the agent does not answer"],
    ["rubbish without end", Buffer.alloc(2 << 20, 255), "the agent does not answer"],
    ["nothing in a frame", field(""), "the agent does not answer"],
  ];
  test.each(ANSWERS)("%s", async (_what, answer, says) => {
    await using dir = await makeTempDir();
    using agent = await startFakeAgent(dir.path, answer);
    expect((await offers({ agent: agent.path })).text).toContain(says);
  });

  test("one that takes the call and never answers is left after five seconds", async () => {
    await using dir = await makeTempDir();
    using agent = await startFakeAgent(dir.path, Buffer.alloc(0));
    expect((await offers({ agent: agent.path })).text).toContain("the agent does not answer");
  });
});

describe("prompts for the password of the login, and others", () => {
  const ASKS = [
    "Password: ",
    "Password:",
    "password",
    "PASSWORD: ",
    "(pot@203.0.113.5) Password: ",
    "pot@203.0.113.5's password: ",
    "Password for pot@honeypot:",
    "LDAP Password: ",
    "Passwort: ",
    "Mot de passe : ",
    "Contraseña: ",
    "Contrasen\u0303a: ",
    "Пароль: ",
    "パスワード：",
  ];
  test.each(ASKS)("%j asks for it", prompt => expect(isPasswordPrompt(prompt)).toBe(true));

  const OTHERS = [
    "",
    ":",
    "Your bank PIN: ",
    "Your bank password: ",
    "Password of your bank: ",
    "New password: ",
    "Retype new password: ",
    "Current password: ",
    "(current) UNIX password: ",
    "Old Password: ",
    "Verification code: ",
    "Passcode: ",
    "Password\n\nand now your PIN: ",
    "(pot@host) (pot@host) ",
    `${"(@) ".repeat(50)}Password:`,
  ];
  test("one without end asks for something else", () => {
    expect(isPasswordPrompt(`Password: ${" ".repeat(1 << 20)}`)).toBe(false);
  });
  test.each(OTHERS)("%p asks for something else", prompt => expect(isPasswordPrompt(prompt)).toBe(false));
});

describe("a password is sent once, whichever way", () => {
  const both = ["password", "keyboard-interactive"] as const;
  /** What a server that takes these ways is sent, question by question. */
  async function logIn(passwordWays: SshHost["passwordWays"], serverTakes: readonly (typeof both)[number][]) {
    const host = await hostWith({ agent: undefined, identities: [], passwordWays });
    const login = await prepareLogin(host, new KeyRing(), "s3cret");
    const sent: unknown[] = [];
    const ask = (left: (typeof both)[number][] | null) => login.authHandler(left, false, method => void sent.push(method));
    ask(null);
    ask([...serverTakes]);
    ask([...serverTakes]);
    return { login, sent };
  }

  test("as a password where both are taken", async () => {
    const { login, sent } = await logIn(both, both);
    const { user: username } = await hostWith({});
    expect(sent).toEqual([{ type: "none", username }, { type: "password", username, password: "s3cret" }, false]);
    expect(login.describe()).toStartWith("tried password; ");
  });

  test("on the keyboard: only to a hidden question for it, and only to the first", async () => {
    const { login, sent } = await logIn(["keyboard-interactive"], both);
    const method = sent[1] as { type: string; prompt: (...args: unknown[]) => void };
    expect([method.type, sent[2]]).toEqual(["keyboard-interactive", false]);
    const answers: unknown[] = [];
    const ask = (...prompts: { prompt: string; echo?: boolean }[]) =>
      method.prompt("", "", "", prompts, (given: unknown) => void answers.push(given));
    ask();
    ask({ prompt: "Your PIN: ", echo: false });
    ask({ prompt: "Password: ", echo: true });
    ask({ prompt: "Password: ", echo: false }, { prompt: "Password: ", echo: false });
    ask({ prompt: "Password: ", echo: false });
    ask({ prompt: "Password: ", echo: false });
    expect(answers).toEqual([[], [""], [""], ["", ""], ["s3cret"], [""]]);
    expect(login.describe()).toStartWith("tried password on the keyboard; ");
    expect(login.describe()).toEndWith("the server asks for more than a password; the server asks for the password again");
  });

  test("not at all where the configuration forbids it", async () => {
    const { login, sent } = await logIn([], both);
    expect(sent.slice(1)).toEqual([false, false]);
    expect(login.describe()).toEndWith("the SSH configuration forbids passwords");
  });
});
