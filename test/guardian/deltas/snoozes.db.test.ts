/** Looks that have to be repeated, of several lines in one transaction. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/database/connect.ts';
import { lineWrites } from '../../../src/guardian/deltas/line-writes.ts';
import { everyDatabase } from '../../support/databases.ts';
import { Stage } from './stage.ts';

describe.each(everyDatabase)('snoozes on $name', ({ open }) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  it('share a transaction, each with its own time, reason and fence', async () => {
    const stage = new Stage().on(database);
    const groups: [string, number][] = [];
    const writes = lineWrites(database.sql, (operation, size) => groups.push([operation, size]));
    const accounts: string[] = [];
    for (let n = 0; n < 4; n++) {
      await stage.openAccount();
      await stage.submit(1, 1, 2);
      accounts.push(stage.accountId);
    }
    const heads = await Promise.all(
      accounts.map((account) => writes.claim({ account, holder: 'w' })),
    );
    // the third was taken over meanwhile
    await database.sql`update canonry.line set fence = fence + 1 where account = ${accounts[2]!}`;
    groups.length = 0;
    const answers = await Promise.all(
      heads.map((head, n) =>
        writes.snooze({
          account: accounts[n]!,
          line: head.line_id,
          fence: head.fence,
          candidate: head.candidate_id!,
          delaySeconds: 100 * (n + 1),
          why: `reason ${n}`,
          error: null,
          retries: n,
          divergences: 0,
          abandonments: 0,
        }),
      ),
    );
    expect(groups).toEqual([['snooze', 4]]);
    expect(answers.map(({ held }) => held)).toEqual([true, true, false, true]);
    const rows = await database.sql`
      select c.why, c.attempts, d.retry_count, l.holder, j.queue_name,
        round(extract(epoch from j.run_at - now()) / 100)::int as hundreds_of_seconds,
        c.next_attempt_at = j.run_at as agree
      from canonry.line l join canonry.candidate c using (line_id)
      join guardian.delta d using (candidate_id)
      join graphile_worker.jobs j on j.key = 'canonicalize:' || l.account
      where l.account = any(${accounts}) order by l.account`;
    const waits = (n: number) => ({
      why: `reason ${n}`,
      attempts: 1,
      retry_count: n,
      holder: null,
      queue_name: null,
      hundreds_of_seconds: n + 1,
      agree: true,
    });
    expect(rows).toMatchObject([
      waits(0),
      waits(1),
      { why: 'submitted', attempts: 0, retry_count: 0, holder: 'w', hundreds_of_seconds: 0 },
      waits(3),
    ]);
  });
});
