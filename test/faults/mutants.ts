/**
 * Kernels that are broken on purpose, as SQL on a run's own database. The checker has to notice
 * each of them.
 */
import { readMigrationFiles } from '../../src/database/migration-files.ts';
import type { QueueMode } from './lab.ts';
import type { ViolationKind } from './rules/violation.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import type { Fault } from './schedule.ts';

/** Where mutants run, and where the healthy kernel has to be clean under the same seed. */
interface Ground {
  scenario: Scenario;
  queue: QueueMode;
}

export interface Mutant {
  /** The promise it breaks. */
  breaks: string;
  /** What the checker has to say about it, whatever else it says. */
  shows: ViolationKind;
  on: GroundName;
  sql(): string;
}

/** The text of a kernel function with replacements; throws when there is nothing to replace. */
function rewrite(name: string, ...replacements: [from: string, to: string][]): string {
  const start = `create or replace function ${name}(`;
  const file = readMigrationFiles().functions.find(({ sql }) => sql.includes(start));
  if (!file) throw new Error(`there is no function ${name}`);
  const from = file.sql.indexOf(start);
  let text = file.sql.slice(from, file.sql.indexOf('\n$$;', from) + 4);
  for (const [original, replacement] of replacements) {
    if (!text.includes(original)) throw new Error(`${name} does not say ${original}`);
    text = text.replaceAll(original, replacement);
  }
  return text;
}

const scenario = (name: string, changes: Partial<Scenario> = {}): Scenario => {
  const found = scenarios[name];
  if (!found) throw new Error(`there is no scenario ${name}`);
  return { ...found, ...changes };
};

/** Two are enough to take over from each other. */
const workers = 2;

/** Few, because each costs a run of the healthy kernel; no mutant depends on the queue mode. */
export const grounds = {
  /** Who comes back promotes what another one looks at by then, or has already followed by the next. */
  zombie: {
    scenario: scenario('zombie', {
      workers,
      landedBefore: 1,
      plan: (random) => [
        { at: 0, ms: 3_500, do: 'chain', mode: 'slow' },
        {
          at: random.between(200, 500),
          ms: random.between(2_500, 3_000),
          do: 'pause',
          target: 'worker_1',
        },
      ],
    }),
    queue: 'none',
  },
  /** With a kill. */
  halts: { scenario: scenario('halts', { workers }), queue: 'account' },
  /** Heads are looked at, and looked at again, before anything of their line has landed. */
  pipeline: {
    scenario: scenario('pipelined', {
      workers,
      depth: 8,
      landedAtOnce: 0,
      environment: () => ({ GUARDIAN_MAX_CANDIDATES_PER_ACCOUNT: '8' }),
    }),
    queue: 'none',
  },
  /** The chain fails; then it is slow, and workers stop in the middle of looks. */
  stops: {
    scenario: scenario('chain-down', {
      workers,
      plan: (random, names) => [
        { at: random.between(300, 600), ms: 500, do: 'chain', mode: 'error' },
        { at: 1_200, ms: 2_300, do: 'chain', mode: 'slow' },
        ...names.map((target, i): Fault => ({
          at: 1_700 + 1_000 * i + random.between(0, 500),
          ms: 0,
          do: 'stop',
          target,
        })),
      ],
    }),
    queue: 'account',
  },
} as const satisfies Record<string, Ground>;
export type GroundName = keyof typeof grounds;

/** Whoever writes is taken to be the holder. */
const holdsAlways = `
  create or replace function canonry.holds(p_line_id bigint, p_fence bigint)
  returns boolean language sql as 'select true';`;

/** A kernel function that returns nothing does one call in five not at all. */
const sometimes = (name: string, types: string): string => {
  const given = types.split(', ').map((_, n) => `$${n + 1}`);
  return `
      alter function canonry.${name}(${types}) rename to ${name}_for_sure;
      create function canonry.${name}(${types}) returns void language plpgsql as $$
      begin
        if random() < 0.8 then
          perform canonry.${name}_for_sure(${given.join(', ')});
        end if;
      end
      $$;`;
};

export const mutants: Record<string, Mutant> = {
  'naive poller': {
    breaks: 'K2, K3: everybody claims, nobody is fenced',
    shows: 'fence',
    on: 'zombie',
    sql: () => `${holdsAlways}
      ${rewrite('canonry.claim', ['holder is null', 'true'])}
      create function lab.poll() returns trigger language plpgsql as $$
      begin
        -- several pollers see the same row
        perform graphile_worker.add_job(
          'canonicalize', json_build_object('account', l.account), job_key := gen_random_uuid()::text
        ) from canonry.line l, generate_series(1, 4) where l.line_id = new.line_id;
        return null;
      end
      $$;
      create trigger lab_poll after insert on canonry.candidate
        for each row execute function lab.poll();`,
  },
  'missing fence': {
    breaks: 'K3: a zombie writes under a claim that it lost',
    shows: 'fence',
    on: 'zombie',
    sql: () => holdsAlways,
  },
  'lost wake-up': {
    breaks: 'K1: a candidate commits without its wake-up',
    shows: 'wake-up',
    on: 'halts',
    sql: () => `
      ${sometimes('wake', 'text, text, text, timestamptz, text')}
      ${sometimes('wake_all', 'text, text[], text[], timestamptz[], text')}
      create or replace function canonry.sweep(p_stale_seconds double precision)
      returns integer language sql as 'select 0';`,
  },
  'out-of-order retry': {
    breaks: 'K2: a retry loses its place',
    shows: 'order',
    on: 'pipeline',
    sql: () =>
      rewrite('canonry.next_head', ['order by c.candidate_id', 'order by c.next_attempt_at']),
  },
  'partial promotion': {
    breaks: 'K4: the delta is canonical, the account is where it was',
    shows: 'partial',
    on: 'halts',
    sql: () =>
      rewrite('guardian.promote_delta', [
        'if guardian.move_account(v_base, v_result) then',
        'if true then',
      ]),
  },
  'double effect': {
    breaks: 'K4, K5: what was resolved is resolved again',
    shows: 'duplicate',
    on: 'halts',
    sql: () => rewrite('canonry.resolve_line', ['and resolved_at is null', '']),
  },
  'stop without a handover': {
    breaks: 'K6: who stops on purpose keeps its lines',
    shows: 'handover',
    on: 'stops',
    sql: () => `
      create or replace function canonry.hand_over(
        p_line_id bigint, p_fence bigint, p_queue_name text
      ) returns boolean language sql as 'select true';
      create or replace function canonry.retire(p_worker_id text) returns integer language sql as $$
        delete from canonry.worker where worker_id = p_worker_id;
        select 0;
      $$;`,
  },
  'dead stay in office': {
    breaks: 'K6: nobody takes the lines of who went silent',
    shows: 'leftover',
    on: 'halts',
    sql: () =>
      rewrite('canonry.beat', ['where beat_at < clock_timestamp() - v_silence', 'where false']),
  },
  'outage as evidence': {
    breaks: 'K7: a look that the chain did not answer spends the budget',
    shows: 'evidence',
    on: 'stops',
    sql: () =>
      rewrite('guardian.snooze_deltas', [
        'i.retries,',
        `i.retries + (i.why = 'chain_unavailable')::integer,`,
      ]),
  },
  'halt without a marker': {
    breaks: 'K8: a line halts and the failed jobs do not show it',
    shows: 'marker',
    on: 'halts',
    sql: () =>
      rewrite('canonry.fail', [
        'perform canonry.mark_failed(v_line.task, v_line.account, p_candidate_id, p_error);',
        '',
      ]),
  },
};
