/** A Slurm of its own on loopback: a controller and two nodes, one of which can die. Needs root. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { makeTempDir, run } from "./run.ts";
import { waitUntil } from "./wait-until.ts";

export interface Slurm extends AsyncDisposable {
  /** For Slurm's commands. */
  readonly env: Readonly<Record<string, string>>;
  /** Number of jobs, or tasks of an array, that are not over. */
  countJobs(): Promise<number>;
  /** The daemon of a node and all it runs are gone at once, as if its power had failed. */
  killNode(number: 1 | 2): void;
  /** Tasks of a node that died wait two minutes by themselves; here they need not. */
  startNow(): Promise<void>;
}

/** Ports nobody listens on. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>(resolve => server.listen(0, "127.0.0.1", () => resolve(server)));
    }),
  );
  const ports = servers.map(server => (server.address() as { port: number }).port);
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}

function listProcesses() {
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        const parent = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, "latin1"))![1]);
        return [{ pid: Number(name), parent, variables: readFileSync(`/proc/${name}/environ`, "latin1").split("\0") }];
      } catch {
        // It has just ended.
        return [];
      }
    });
}

function nameOf(pid: number): string {
  return readFileSync(`/proc/${pid}/comm`, "latin1").trim();
}

export async function startSlurm(): Promise<Slurm> {
  const dir = await makeTempDir();
  const at = (name: string) => join(dir.path, name);
  // munged wants to be sure that nobody else can put something in the way of its socket.
  chmodSync(dir.path, 0o755);
  for (const name of ["munge", "state", "spool.node1", "spool.node2"]) mkdirSync(at(name), { mode: 0o755 });
  writeFileSync(at("munge.key"), crypto.getRandomValues(new Uint8Array(1024)), { mode: 0o400 });
  const [controllerPort, ...ports] = await freePorts(3);
  writeFileSync(
    at("slurm.conf"),
    `ClusterName=test
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=${at("munge/socket")}
SlurmctldPort=${controllerPort}
StateSaveLocation=${at("state")}
SlurmctldPidFile=${at("controller.pid")}
SlurmctldLogFile=${at("controller.log")}
SlurmdPidFile=${at("%n.pid")}
SlurmdLogFile=${at("%n.log")}
SlurmdSpoolDir=${at("spool.%n")}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
${ports.map((port, i) => `NodeName=node${i + 1} NodeAddr=127.0.0.1 Port=${port} CPUs=1 State=UNKNOWN`).join("\n")}
PartitionName=all Nodes=ALL Default=YES State=UP MaxTime=INFINITE
`,
  );
  const env = { SLURM_CONF: at("slurm.conf") };
  const must = async (command: readonly string[]) => {
    const { exitCode, stderr } = await run(command, { env });
    if (exitCode !== 0) throw new Error(`Cannot start Slurm: ${command[0]}: ${stderr}`);
  };
  await must(["munged", "--force", "--socket", at("munge/socket"), "--key-file", at("munge.key"), "--log-file", at("munge/log"), "--pid-file", at("munge/pid"), "--seed-file", at("munge/seed")]);
  await must(["slurmctld"]);
  // Each node has a host name of its own; in the foreground, so that it is a child of ours.
  const nodes = [1, 2].map(number =>
    Bun.spawn(["unshare", "--uts", "sh", "-c", `hostname node${number} && exec slurmd -D -N node${number}`], {
      env: { ...Bun.env, ...env },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    }),
  );
  await waitUntil("both nodes of Slurm are idle", async () => {
    const { stdout } = await run(["sinfo", "--noheader", "--format", "%D %t"], { env });
    return stdout.trim() === "2 idle";
  });
  const killNode = (number: 1 | 2) => {
    nodes[number - 1]!.kill("SIGKILL");
    const own = listProcesses().filter(({ variables }) => variables.includes(`SLURMD_NODENAME=node${number}`));
    // What watches over a job must not live to tell that it failed.
    for (const pid of new Set([...own.map(({ parent }) => parent).filter(pid => nameOf(pid) === "slurmstepd"), ...own.map(({ pid }) => pid)]))
      process.kill(pid, "SIGKILL");
  };
  return {
    env,
    async countJobs() {
      const { stdout } = await run(["squeue", "--noheader", "--array", "--format", "%i"], { env });
      return stdout.split("\n").filter(line => line !== "").length;
    },
    killNode,
    async startNow() {
      const { stdout } = await run(["squeue", "--noheader", "--array", "--states", "PENDING", "--format", "%i %r"], { env });
      for (const line of stdout.split("\n")) {
        const [job, reason] = line.split(" ");
        if (reason === "BeginTime") await run(["scontrol", "update", `JobId=${job}`, "StartTime=now"], { env });
      }
    },
    async [Symbol.asyncDispose]() {
      await run(["scancel", "--full", "--me"], { env });
      for (const node of nodes) node.kill("SIGTERM");
      await run(["sh", "-c", `kill $(cat ${at("controller.pid")} ${at("munge/pid")})`]);
      await Promise.all(nodes.map(node => node.exited));
      await dir[Symbol.asyncDispose]();
    },
  };
}
