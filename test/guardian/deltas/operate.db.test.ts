/** A person acts on a line while others work on its account, over two connections. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { auditOf } from '../../../src/kernel/inspect.ts';
import { operate } from '../../../src/kernel/operate.ts';
import { everyDatabase } from '../../support/databases.ts';
import { stageOn } from './stage.ts';

// the embedded database runs one transaction at a time
const shared = everyDatabase.filter(({ name }) => name.startsWith('Postgres'));

describe.each(shared)('a person at work on $name', ({ open }) => {
  const stage = stageOn(open);

  /** Until the other one waits for a lock, or is through without. */
  const meet = async (other: Promise<unknown>) => {
    let through = false;
    void other.finally(() => (through = true)).catch(() => {});
    for (;;) {
      const [row] = await stage.database.sql<{ waiting: boolean }[]>`
        select exists (
          select 1 from pg_stat_activity
          where wait_event_type = 'Lock' and datname = current_database()
        ) as waiting`;
      if (row?.waiting || through) return;
      await sleep(5);
    }
  };

  it.each(['skip', 'discard'] as const)(
    '%s of the head while a delta is built on it: what was built on it goes too',
    async (action) => {
      await stage.openAccount();
      await stage.submit(1, 1, 2, 2);
      const head = await stage.candidateOf(1);
      const person = await stage.database.sql.begin(async (sql) => {
        expect(await stage.submit(2, 2, 3, 2, true, sql)).toBe('submitted');
        const operated = operate(stage.database.sql, head, action, 'me', 'test');
        await meet(operated);
        return { operated };
      });
      expect(await person.operated).toBe('done');
      const status = action === 'skip' ? 'retained' : 'discarded';
      expect(await stage.delta(1)).toMatchObject({ status });
      expect(await stage.delta(2)).toMatchObject({ status: 'retained', why: 'base_lost' });
      expect(await stage.reconcilesIn()).toBeGreaterThan(50);
      const [parked, ended] = await auditOf(stage.database.sql, stage.accountId, 2);
      expect([parked?.action, ended?.action].toSorted()).toEqual(['park', action].toSorted());
    },
  );
});
