import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinReplicas, mixedSettings, type Replica } from '../../src/coordination/replicas.ts';
import type { Database } from '../../src/database/connect.ts';
import type { Log } from '../../src/observability/log.ts';
import { createLog } from '../../src/observability/log.ts';
import { coordinationLimits } from '../../src/limits.ts';
import { everyDatabase } from '../support/databases.ts';

describe.each(everyDatabase)('replicas on $name', ({ open }) => {
  let database: Database;
  const warnings: object[] = [];
  const log: Log = Object.assign(createLog('silent'), {
    warn: (fields: object) => void warnings.push(fields),
  });
  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  const join = (settings: Record<string, string>, role: 'api' | 'worker' = 'api') =>
    joinReplicas(database.sql, log, { role, settings });
  const leave = (...replicas: Replica[]) => Promise.all(replicas.map((replica) => replica.leave()));

  it('say nothing while their settings are equal', async () => {
    warnings.length = 0;
    const fleet = [await join({ a: '1', b: '2' }), await join({ b: '2', a: '1' })];
    expect(warnings).toEqual([]);
    expect(await mixedSettings(database.sql)).toEqual([]);
    await leave(...fleet);
  });

  it('name the settings that differ, those that one has not included, never their values', async () => {
    warnings.length = 0;
    const fleet = [
      await join({ a: '1', b: 'secret-1', gone: 'x' }),
      await join({ a: '1', b: 'secret-2', new: 'y' }),
      // another role has its own settings
      await join({ a: '9' }, 'worker'),
    ];
    expect(warnings).toMatchObject([{ settings: ['b', 'gone', 'new'] }]);
    expect(JSON.stringify(warnings)).not.toMatch(/secret/);
    expect(await mixedSettings(database.sql)).toEqual([
      { role: 'api', setting: 'b', variants: 2n },
      { role: 'api', setting: 'gone', variants: 2n },
      { role: 'api', setting: 'new', variants: 2n },
    ]);
    await leave(...fleet);
    expect(await mixedSettings(database.sql)).toEqual([]);
  });

  it('forget who left or has been silent for long', async () => {
    const [gone, stays] = [await join({ a: '1' }), await join({ a: '2' })];
    await database.sql`update canonry.replica
      set seen_at = seen_at - make_interval(secs => ${coordinationLimits.silentSeconds + 1})
      where replica_id = ${gone.id}`;
    expect(await mixedSettings(database.sql)).toEqual([]);
    warnings.length = 0;
    const late = await join({ a: '2' });
    expect(warnings).toEqual([]);
    const rows = await database.sql<{ replica_id: string }[]>`
      select replica_id from canonry.replica order by started_at`;
    expect(rows.map((row) => row.replica_id)).toEqual([stays.id, late.id]);
    await leave(gone, stays, late);
  });

  it('serve on when the database does not answer', async () => {
    warnings.length = 0;
    const absent = (() => Promise.reject(new Error('away'))) as unknown as Database['sql'];
    const replica = await joinReplicas(absent, log, { role: 'api', settings: {} });
    expect(warnings).toMatchObject([{ error: 'Error: away' }]);
    await replica.leave();
  });
});
