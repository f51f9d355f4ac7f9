/** One run: a fresh database, real processes, load, faults, calm, and the record of it all. */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLabAccount, type LabAccount } from './account.ts';
import { startLabChain } from './chain.ts';
import { Fleet, type MemberOptions } from './fleet.ts';
import type { ClientEvent, Run } from './history.ts';
import { runAccount } from './load.ts';
import { startProxy, type LabProxy } from './proxy.ts';
import { seeded, type Random } from './random.ts';
import { loadMs, type Scenario } from './scenarios.ts';
import { describeFault, isTakenOver, perform, type Controls, type Fault } from './schedule.ts';
import { readChanges, readFinal, readLeftovers, type Stage } from './stage.ts';

export type QueueMode = 'account' | 'none';

export interface RunOptions {
  scenario: Scenario;
  seed: number;
  queue: QueueMode;
  /** SQL that breaks the kernel on purpose. */
  mutant?: string | undefined;
  /** Time for everything to become canonical once the load is over, milliseconds. */
  settleMs?: number;
}

export interface RunRecord extends Run {
  schedule: string[];
  /** What the processes wrote. */
  output: string;
  /** Planned stops that did not end well, or kept something. */
  complaints: string[];
}

/** For retirement of the dead by the living, and for the sweep to free what only it can. */
const quietMs = 13_000;

/** Who died a moment ago is counted as living for so long (see readLeftovers). */
const silenceMs = 1_600;

/** A run that lasts longer is stuck, whatever the reason. */
const runMs = 100_000;

/** @throws Error when the run got stuck, saying where. */
export async function runSeed(stage: Stage, options: RunOptions): Promise<RunRecord> {
  const lab = await openLab(stage, options);
  const over = new AbortController();
  const watchdog = sleep(runMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`stuck: ${lab.doing}\n${lab.controls.fleet.output.slice(-2_000)}`);
  });
  try {
    return await Promise.race([runLab(lab), watchdog]);
  } finally {
    over.abort();
    watchdog.catch(() => {});
    await lab.close();
  }
}

async function runLab(lab: Lab): Promise<RunRecord> {
  const { fleet, database } = lab.controls;
  await Promise.all(fleet.names.map((name) => fleet.start(name)));
  const calmAt = await play(lab);
  lab.doing = 'settling';
  await settle(lab, calmAt);
  lab.doing = 'stopping';
  await Promise.all(
    fleet.names.map(async (name) => {
      const ending = await fleet.stop(name);
      if (ending !== 0) lab.complaints.push(`${name} ended with ${ending} when asked to stop`);
    }),
  );
  lab.doing = 'reading the records';
  return {
    events: lab.events,
    changes: await readChanges(database),
    final: await readFinal(database),
    calmAt,
    schedule: lab.faults.map(describeFault),
    output: fleet.output,
    complaints: lab.complaints,
  };
}

interface Lab {
  options: RunOptions;
  random: Random;
  url: string;
  controls: Controls;
  faults: Fault[];
  events: ClientEvent[];
  complaints: string[];
  /** For the report of a run that got stuck. */
  doing: string;
  close(): Promise<void>;
}

async function openLab(stage: Stage, options: RunOptions): Promise<Lab> {
  const { scenario, seed, queue, mutant } = options;
  const random = seeded(seed);
  const workers = Array.from({ length: scenario.workers }, (_, i) => `worker_${i + 1}`);
  const names = ['api', ...workers];
  const database = await stage.open(`lab_${seed}_${queue}`, names, mutant);
  const chain = await startLabChain(random.fork('chain'));
  const proxies = new Map<string, LabProxy>();
  if (scenario.proxied) {
    for (const name of names) proxies.set(name, await startProxy(stage.cluster.port));
  }
  const port = await freePort();
  const events: ClientEvent[] = [];
  const complaints: string[] = [];
  const common = {
    GUARDIAN_NETWORK_TYPE: 'local',
    // what is measured or shaken here is not one client's share
    GUARDIAN_RATE_LIMIT_ENABLED: 'false',
    GUARDIAN_MIDEN_RPC_ENDPOINT: chain.url,
    GUARDIAN_MIDEN_RPC_TIMEOUT_MS: '2000',
    GUARDIAN_CANONICALIZATION_RECONCILE_INTERVAL_SECONDS: '1',
    CANONRY_COMPUTE_THREADS: '1',
    CANONRY_DATA_DIR: stage.folder,
    PORT: String(port),
    LOG_LEVEL: 'warn',
    WAKE_QUEUE: queue,
  };
  const members = names.map((name): MemberOptions => ({
    name,
    file: name === 'api' ? 'src/entry/api.ts' : 'src/entry/worker.ts',
    ready: name === 'api' ? /api ready at/ : /worker ready/,
    env: {
      ...common,
      DATABASE_URL: database.url(name, proxies.get(name)?.port),
      ...scenario.environment(name, random.fork(`environment ${name}`)),
    },
  }));
  const fleet = new Fleet(members, (what) => {
    events.push({ kind: 'fault', at: Date.now(), phase: 'end', what });
  });
  const complain = (what: string) => void complaints.push(what);
  return {
    options,
    random,
    events,
    complaints,
    url: `http://127.0.0.1:${port}`,
    doing: 'starting',
    faults: scenario.plan(random.fork('plan'), workers).toSorted((a, b) => a.at - b.at),
    controls: { cluster: stage.cluster, database, fleet, chain, proxies, complain },
    async close() {
      fleet.abandon();
      await chain.close();
      await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
      await database.drop();
    },
  };
}

/** Load and faults, until both are over; returns when that was. */
async function play(lab: Lab): Promise<number> {
  const { options, random, url, controls, events } = lab;
  const { scenario } = options;
  const accounts = await openAccounts(lab);
  const started = Date.now();
  const record = (event: ClientEvent) => void events.push(event);
  let calmAt = Number.POSITIVE_INFINITY;
  let enough = false;
  const loads = accounts.map((account, i) =>
    runAccount(account, random.fork(`load ${i}`), {
      url,
      record,
      chain: controls.chain,
      depth: scenario.depth,
      landedBefore: scenario.landedBefore,
      landedAtOnce: scenario.landedAtOnce,
      stopping: () => enough,
      over: () => Date.now() > calmAt + settleMsOf(options),
    }),
  );
  const trouble = makeTrouble(lab, started);
  await Promise.all([sleep(loadMs), scenario.oneByOne && trouble]);
  enough = true;
  await trouble;
  calmAt = Date.now();
  lab.doing = 'waiting for the clients';
  await Promise.all(loads);
  return calmAt;
}

/** Every fault of the schedule; settles when the last one is healed. */
async function makeTrouble(lab: Lab, started: number): Promise<void> {
  const { options, controls, events, faults } = lab;
  const underWay = new Set<string>();
  const make = async (fault: Fault) => {
    await sleep(Math.max(0, started + fault.at - Date.now()));
    const what = describeFault(fault);
    const note = (phase: 'begin' | 'end') =>
      void events.push({ kind: 'fault', at: Date.now(), phase, what });
    note('begin');
    underWay.add(what);
    lab.doing = [...underWay].join(', ');
    const doing = perform(fault, controls);
    if (!(options.scenario.othersTakeOver && isTakenOver(fault))) await doing;
    note('end');
    await doing;
    underWay.delete(what);
    lab.doing = [...underWay].join(', ') || 'the load';
  };
  if (!options.scenario.oneByOne) {
    await Promise.all(faults.map(make));
    return;
  }
  for (const fault of faults) await make(fault);
}

async function openAccounts({ options, random, url }: Lab): Promise<LabAccount[]> {
  const answer = await fetch(`${url}/pubkey?scheme=ecdsa`);
  const { commitment } = (await answer.json()) as { commitment: string };
  const accounts = Array.from({ length: options.scenario.accounts }, (_, i) =>
    createLabAccount(random.fork(`account ${i}`), commitment, options.scenario.clients),
  );
  for (const account of accounts) {
    const { status, body } = await account.configure(url);
    if (status !== 200) throw new Error(`configure answered ${status}: ${JSON.stringify(body)}`);
  }
  return accounts;
}

function settleMsOf({ scenario, settleMs }: RunOptions): number {
  return settleMs ?? scenario.boundMs + 5_000;
}

/** Waits until everything is canonical and quiet, or its time is over: the checker tells which. */
async function settle({ options, controls, events }: Lab, calmAt: number): Promise<void> {
  const { database } = controls;
  const acknowledged = new Set(
    events.flatMap((event) =>
      event.kind === 'acknowledged' ? [`${event.account}/${event.nonce}`] : [],
    ),
  ).size;
  const deadline = calmAt + settleMsOf(options);
  for (;;) {
    const [row] = await database.query<{ canonical: number; unresolved: number }>(`
      select (select count(*)::int from guardian.delta where status = 'canonical') as canonical,
             (select count(*)::int from canonry.candidate where resolved_at is null) as unresolved`);
    if (row && row.unresolved === 0 && row.canonical >= acknowledged) break;
    if (Date.now() > deadline) return;
    await sleep(50);
  }
  const quietBy = Date.now() + quietMs;
  let quietSince = Number.POSITIVE_INFINITY;
  while (Date.now() < Math.min(quietBy, quietSince + silenceMs)) {
    const quiet = (await readLeftovers(database, 'dead')).length === 0;
    quietSince = quiet ? Math.min(quietSince, Date.now()) : Number.POSITIVE_INFINITY;
    await sleep(100);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      if (address === null || typeof address === 'string') throw new Error('not a TCP port');
      probe.close(() => resolve(address.port));
    });
  });
}
