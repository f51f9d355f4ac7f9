/**
 * Kernels that are broken on purpose, as SQL on a run's own database. The checker has to notice
 * each of them.
 */
import { readMigrationFiles } from '../../src/database/migration-files.ts';
import { scenarios, type Scenario } from './scenarios.ts';

export interface Mutant {
  /** The promise it breaks. */
  breaks: string;
  scenario: Scenario;
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
    scenario: scenario('zombie', { depth: 1 }),
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
    scenario: scenario('zombie'),
    sql: () => holdsAlways,
  },
  'lost wake-up': {
    breaks: 'K1: a candidate commits without its wake-up',
    scenario: scenario('kill-worker'),
    sql: () => `
      ${sometimes('wake', 'text, text, text, timestamptz, text')}
      ${sometimes('wake_all', 'text, text[], text[], timestamptz[], text')}
      create or replace function canonry.sweep(p_stale_seconds double precision)
      returns integer language sql as 'select 0';`,
  },
  'out-of-order retry': {
    breaks: 'K2: a retry loses its place',
    scenario: scenario('pipelined'),
    sql: () =>
      rewrite('canonry.next_head', ['order by c.candidate_id', 'order by c.next_attempt_at']),
  },
  'partial promotion': {
    breaks: 'K4: the delta is canonical, the account is where it was',
    scenario: scenario('kill-worker'),
    sql: () =>
      rewrite('guardian.promote_delta', [
        'if guardian.move_account(v_base, v_result) then',
        'if true then',
      ]),
  },
  'double effect': {
    breaks: 'K4, K5: what was resolved is resolved again',
    scenario: scenario('kill-worker'),
    sql: () => rewrite('canonry.resolve_line', ['and resolved_at is null', '']),
  },
};
