/** What goes wrong in a run, as data that can be printed, and how it is done. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../support/cluster.ts';
import type { ChainMode, LabChain } from './chain.ts';
import type { Fleet } from './fleet.ts';
import type { LabProxy } from './proxy.ts';
import { readLeftovers, type LabDatabase } from './stage.ts';

/** Begins `at` milliseconds after the load and is healed `ms` later. */
export type Fault = { at: number; ms: number } & (
  | { do: 'kill' | 'stop' | 'pause'; target: string }
  | { do: 'postgres'; how: 'stop' | 'kill' }
  /** Ends this share of the connections. */
  | { do: 'cut'; share: number }
  /** Existing connections of the target fall silent; new ones work. */
  | { do: 'silence'; target: string }
  /** All connections of the target are reset. */
  | { do: 'reset'; target: string }
  | { do: 'chain'; mode: ChainMode }
  /** Decisions fail, and the first failure of each halts its line, until a person looks. */
  | { do: 'break' }
  /** Takes connections until only so many are left to the processes. */
  | { do: 'occupy'; left: number }
);

export interface Controls {
  cluster: Cluster;
  database: LabDatabase;
  fleet: Fleet;
  chain: LabChain;
  proxies: ReadonlyMap<string, LabProxy>;
  /** Told when a planned stop did not end well. */
  complain(what: string): void;
}

export function describeFault(fault: Fault): string {
  const { at, ms, do: action, ...rest } = fault;
  return `${String(at).padStart(5)} ms  ${action} ${Object.values(rest).join(' ')} for ${ms} ms`;
}

/**
 * Whether the others take over while the fault still lasts: recovery then begins with the fault,
 * not with its end.
 */
export function isTakenOver(fault: Fault): boolean {
  return fault.do === 'kill' || fault.do === 'stop' || fault.do === 'pause';
}

/** Does what the fault says, waits its time, and heals it. */
export async function perform(fault: Fault, controls: Controls): Promise<void> {
  const { fleet, chain, cluster, proxies, database } = controls;
  switch (fault.do) {
    case 'kill':
      await fleet.kill(fault.target);
      await sleep(fault.ms);
      return fleet.start(fault.target);
    case 'stop':
      await stop(fault.target, controls);
      await sleep(fault.ms);
      return fleet.start(fault.target);
    case 'pause':
      fleet.pause(fault.target);
      await sleep(fault.ms);
      return fleet.resume(fault.target);
    case 'postgres':
      await (fault.how === 'kill' ? cluster.kill() : cluster.stop());
      await sleep(fault.ms);
      return cluster.start();
    case 'cut':
      await cut(controls, fault.share);
      return;
    case 'silence':
      proxies.get(fault.target)?.silence();
      await sleep(fault.ms);
      return proxies.get(fault.target)?.reset();
    case 'reset':
      return proxies.get(fault.target)?.reset();
    case 'chain':
      await chain.set(fault.mode);
      await sleep(fault.ms);
      return chain.set('honest');
    case 'break':
      await database.query(breakDecisions);
      await sleep(fault.ms);
      await database.query(mendDecisions);
      // a decision that began before may halt its line until then
      await sleep(500);
      return retryHalted(database);
    case 'occupy':
      return occupy(controls, fault.left, fault.ms);
  }
}

/** At its end a process that was asked to stop has nothing any more. */
async function stop(target: string, { fleet, database, complain }: Controls): Promise<void> {
  const since = fleet.startedAt(target);
  const ending = await fleet.stop(target);
  if (ending === 'killed') return;
  if (ending !== 0) return complain(`${target} ended with ${ending} when asked to stop`);
  for (const what of await readLeftovers(database, { process: target, since })) {
    complain(`${target} was asked to stop and left behind: ${what}`);
  }
}

/** No account moves, and no failure is retried. */
const breakDecisions = `
  alter function guardian.move_account(text, guardian.delta) rename to move_account_of_the_kernel;
  create function guardian.move_account(text, guardian.delta) returns boolean language plpgsql as $$
  begin
    raise exception 'the lab lets decisions fail';
  end
  $$;
  alter function canonry.fail(bigint, bigint, bigint, text, double precision, text)
    rename to fail_of_the_kernel;
  create function canonry.fail(bigint, bigint, bigint, text, double precision, text)
  returns boolean language sql as 'select canonry.fail_of_the_kernel($1, $2, $3, $4, null, $6)';`;
const mendDecisions = `
  drop function guardian.move_account(text, guardian.delta);
  alter function guardian.move_account_of_the_kernel(text, guardian.delta) rename to move_account;
  drop function canonry.fail(bigint, bigint, bigint, text, double precision, text);
  alter function canonry.fail_of_the_kernel(bigint, bigint, bigint, text, double precision, text)
    rename to fail;`;

/** What a person does once the fault is mended, one candidate at a time. */
async function retryHalted(database: LabDatabase): Promise<void> {
  const halted = await database.query<{ id: string }>(
    `select candidate_id::text as id from canonry.candidate where state = 'halted'`,
  );
  for (const { id } of halted) {
    await database.query(`select canonry.operate(${id}, 'retry', 'lab', 'decisions work again')`);
  }
}

/** The oldest connections first, so that the same seed does the same as far as it can. */
async function cut({ database }: Controls, share: number): Promise<void> {
  await database.query(`
    with backend as (
      select pid, percent_rank() over (order by backend_start) as rank
      from pg_stat_activity
      where datname = current_database() and usename <> 'postgres'
    )
    select pg_terminate_backend(pid) from backend where rank <= ${share}`);
}

/** Limits apply to the roles of the processes, not to the server's owner. */
async function occupy({ database }: Controls, left: number, ms: number): Promise<void> {
  const others = `usename <> 'postgres' and datname = current_database()`;
  await database.query(`
    do $$ begin
      execute format('alter database %I connection limit ${left}', current_database());
      perform pg_terminate_backend(pid) from pg_stat_activity where ${others};
    end $$`);
  await sleep(ms);
  await database.query(`
    do $$ begin
      execute format('alter database %I connection limit -1', current_database());
    end $$`);
}
