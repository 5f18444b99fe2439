/**
 * Lines that lead the fast reader through every path it has, read once per thread before a large log.
 *
 * The engine compiles the reader for the paths it has seen. A path first met in the middle of a log throws that code away
 * and compiles it again, which takes longer each time: five times and 1.2 s of a 3.4 s run over 1 GB, measured. After
 * these lines it is compiled once.
 *
 * Tested in `test/lib/logs/log-set.test.ts`.
 */
import { EventBuilder } from "./event-builder.ts";
import { LineReader } from "./line-reader.ts";

/** Rounds over the lines: few enough to stay in the interpreter, whose notes the compiler goes by. */
const ROUNDS = 12;

const STEM = `"sensor":"s","timestamp":"2026-01-02T23:59:58.765432Z","src_ip":"192.0.2.1","session":"0123456789ab"`;
const LINES = [
  `{"eventid":"cowrie.session.connect","src_port":50000,"dst_ip":"192.0.2.2","dst_port":2222,"protocol":"ssh","message":"m",${STEM}}`,
  `{"eventid":"cowrie.client.version","version":"SSH-2.0-Go","message":"m",${STEM}}`,
  `{"eventid":"cowrie.client.kex","hassh":"${"ab".repeat(16)}","hasshAlgorithms":"a,b;c","kexAlgs":["a","b"],"langCS":[""],"message":"m",${STEM}}`,
  `{"eventid":"cowrie.client.kex","hassh":"${"cd".repeat(16)}","kexAlgs":["a"],"message":"m","keyAlgs":["${"k".repeat(700)}"],${STEM}}`,
  `{"eventid":"cowrie.login.failed","username":"root","password":"a\\"b\\\\c\\u00e4\\u0001","message":"m",${STEM}}`,
  `{"eventid":"cowrie.login.failed","username":"ä","password":"\\ud83d\\ude00","message":"a\\"b\\u00e4",${STEM}}`,
  `{"eventid":"cowrie.command.input","input":"cd /tmp\\nls \\t${"x".repeat(600)}","message":"CMD: \\"x\\"",${STEM}}`,
  `{"eventid":"cowrie.session.file_download","url":"http://192.0.2.3/x","outfile":"o","shasum":"${"0f".repeat(32)}","duplicate":false,${STEM}}`,
  `{"eventid":"cowrie.virustotal.scanfile","sha256":"${"0f".repeat(32)}","is_new":"false","positives":3,"total":70,"scans":{"e":{"detected":"true","n":-1.5e+3}},"message":[],${STEM}}`,
  `{"eventid":"cowrie.log.closed","ttylog":"t","size":4294967295,"shasum":"${"0f".repeat(32)}","duplicate":true,"duration":"12.3","message":"m",${STEM}}`,
  `{"eventid":"cowrie.session.closed","duration":1.3108799457550049,"message":"m",${STEM}}`,
  `{"eventid":"cowrie.session.closed","duration":120,"message":"m",${STEM}}`,
  `{"eventid":"cowrie.session.closed","duration_ms":1532000,"message":"m",${STEM}}`,
  `{"eventid":"x.unknown","a":null,"message":"kept","b":[1,{"c":0.5}],"timestamp":"2026-01-02T00:00:00Z"}`,
  `{"eventid": "cowrie.direct-tcpip.data", "timestamp": "2018-01-02T03:04:05.006Z", "system": "HoneyPotSSHTransport,1,192.0.2.1", "isError": 0, "data": "'GET / HTTP/1.1\\\\r\\\\n'", "id": 0, "dst_ip": "host.example", "dst_port": 443, "message": ["m"], "sensor": "s", "session": "01234567"}`,
  `{"eventid": "cowrie.session.connect", "system": "CowrieTelnetTransport,2,192.0.2.1", "timestamp": "2018-01-02T03:04:05Z"}`,
  `{"session":"0123456789ab","protocol":"telnet","src_ip":"192.0.2.9","eventid":"cowrie.telnet.option","command":"WILL","option_byte":-1,"late":true,"uuid":"u","timestamp":"2026-08-01T10:00:00.000123Z","message":""}`,
];

let isWarm = false;

/** Have the fast reader compiled well; does its work on the first call of a thread only. */
export function warmUpReader(): void {
  if (isWarm) return;
  isWarm = true;
  const builder = new EventBuilder();
  const reader = new LineReader(builder);
  const bytes = new TextEncoder().encode(`${`${LINES.join("\n")}\n`.repeat(ROUNDS)}${"\0".repeat(64)}`);
  reader.readLines(bytes, 0, bytes.lastIndexOf(0x0a) + 1);
  builder.finish().close();
}
