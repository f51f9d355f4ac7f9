import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { announcedSettings, joinReplicas, type Replica } from '../../src/coordination/replicas.ts';
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

  const join = async (settings: Record<string, string>, role: 'api' | 'worker' = 'api') => {
    const replica = joinReplicas(database.sql, log, { role, settings });
    await replica.announced;
    return replica;
  };
  /** Settings that are not the same on all living processes, with their variants. */
  const mixed = async () => {
    const bySetting = Map.groupBy(await announcedSettings(database.sql), ({ setting }) => setting);
    return [...bySetting]
      .map(([setting, all]) => [setting, ...new Set(all.map(({ variant }) => variant))])
      .filter((entry) => entry.length > 2);
  };
  const leave = (...replicas: Replica[]) => Promise.all(replicas.map((replica) => replica.leave()));

  it('say nothing while their settings are equal, but for those that a machine may have as it likes', async () => {
    warnings.length = 0;
    const fleet = [
      await join({ a: '1', b: '2', 'own:c': '1' }),
      await join({ b: '2', a: '1', 'own:c': '2' }),
    ];
    expect(warnings).toEqual([]);
    expect(await mixed()).toEqual([]);
    await leave(...fleet);
  });

  it('name the settings that differ, whatever their roles, never their values', async () => {
    warnings.length = 0;
    const fleet = [
      await join({ a: '1', b: 'secret-1' }),
      await join({ a: '1', b: 'secret-2' }),
      await join({ a: '9' }, 'worker'),
    ];
    expect(warnings).toMatchObject([{ settings: ['b'] }, { settings: ['a'] }]);
    expect(JSON.stringify(warnings)).not.toMatch(/secret/);
    expect(await mixed()).toEqual([
      ['a', 1n, 2n],
      ['b', 1n, 2n],
    ]);
    const announced = await announcedSettings(database.sql);
    expect(announced.filter(({ setting, variant }) => setting === 'a' && variant === 2n)).toEqual([
      { replica_id: fleet[2]!.id, role: 'worker', setting: 'a', variant: 2n, value: null },
    ]);
    await leave(...fleet);
    expect(await announcedSettings(database.sql)).toEqual([]);
  });

  it('do not miss what another role, or the version before, does not announce', async () => {
    warnings.length = 0;
    const fleet = [await join({ a: '1', gone: 'x' }), await join({ a: '1', new: 'y' }, 'worker')];
    expect(warnings).toEqual([]);
    expect(await mixed()).toEqual([]);
    await leave(...fleet);
  });

  it('are still understood by the doctor of the version before', async () => {
    const fleet = [await join({ a: '1', b: '1' }), await join({ a: '2', b: '1' })];
    expect(
      await database.sql`select role, setting, variants from canonry.mixed_settings(100)`,
    ).toEqual([{ role: 'api', setting: 'a', variants: 2n }]);
    await leave(...fleet);
  });

  it('leave for good, also while an announcement is on its way', async () => {
    const held = Promise.withResolvers<void>();
    const slow = (async (...args: Parameters<Database['sql']>) => {
      const [text] = args as unknown as [TemplateStringsArray];
      if (text.join('').includes('announce')) await held.promise;
      return database.sql(...args);
    }) as unknown as Database['sql'];
    const replica = joinReplicas(slow, log, { role: 'worker', settings: { a: '1' } });
    const left = replica.leave();
    held.resolve();
    await left;
    await replica.announced;
    expect(await announcedSettings(database.sql)).toEqual([]);
  });

  it('forget who left or has been silent for long', async () => {
    const [gone, stays] = [await join({ a: '1' }), await join({ a: '2' })];
    await database.sql`update canonry.replica
      set seen_at = seen_at - make_interval(secs => ${coordinationLimits.silentSeconds + 1})
      where replica_id = ${gone.id}`;
    expect(await mixed()).toEqual([]);
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
    const replica = joinReplicas(absent, log, { role: 'api', settings: {} });
    await replica.announced;
    expect(warnings).toMatchObject([{ error: 'Error: away' }]);
    await replica.leave();
  });
});
