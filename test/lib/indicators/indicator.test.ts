import { expect, test } from "bun:test";
import { defang } from "../../../lib/indicators/indicator.ts";

test.each([
  ["address", "203.0.113.7", "203[.]0[.]113[.]7"],
  ["address", "2001:db8::1", "2001[:]db8[:][:]1"],
  ["host", "a.example.org", "a[.]example[.]org"],
  ["proxy", "203.0.113.7:443", "203[.]0[.]113[.]7[:]443"],
  ["url", "http://203.0.113.7/a.sh?b=1.2", "hxxp://203[.]0[.]113[.]7/a.sh?b=1.2"],
  ["url", "HTTPS://a.example.org:8443", "HxxPS://a[.]example[.]org:8443"],
  ["url", "ftp://a.example.org#x.y", "ftp://a[.]example[.]org#x.y"],
  ["url", "no scheme at a.example.org", "no scheme at a.example.org"],
  // What nobody can click on stays as it is.
  ["hash", "ab.cd", "ab.cd"],
  ["credential", "root:a.b", "root:a.b"],
] as const)("%s %s", (type, value, wanted) => expect(defang({ type, value })).toBe(wanted));
