/** Nothing that a login meets with tells an operator from a stranger. */
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openDatabase, type Database } from '../../../src/database/connect.ts';
import { ServiceError } from '../../../src/errors.ts';
import type { OperatorContext } from '../../../src/guardian/operators/context.ts';
import {
  ComputeFailedError,
  ComputeOverloadError,
} from '../../../src/guardian/networks/miden/compute/errors.ts';
import { operatorRoutes } from '../../../src/guardian/operators/routes.ts';
import { unlimitedLogins } from '../../../src/guardian/sessions/login-limits.ts';
import { operatorLimits } from '../../../src/limits.ts';
import { unobserved } from '../../../src/observability/metrics.ts';
import { challengeOf, createOperatorKey, verify } from '../../operators/operator.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';

const operator = createOperatorKey('ecdsa');
const idle = createOperatorKey('ecdsa');
const stranger = createOperatorKey('ecdsa');

describe('operators and strangers', () => {
  let created: TestDatabase;
  let database: Database;
  let fault: Error;
  let app: Hono;
  const send = async (path: string, init?: RequestInit) => app.request(path, init);
  beforeAll(async () => {
    created = await createDatabase();
    database = await openDatabase({ databaseUrl: created.url, maxConnections: 4 });
    const known = new Set([operator, idle].map(({ commitment }) => commitment));
    const context = {
      sql: database.sql,
      allowlist: {
        find: (commitment: string) =>
          Promise.resolve(
            known.has(commitment)
              ? { commitment, scheme: 'ecdsa' as const, permissions: [] }
              : undefined,
          ),
      },
      signatures: { verifyMessage: () => Promise.reject(fault) },
      logins: unlimitedLogins,
      metrics: unobserved,
    };
    app = new Hono();
    // the rest of the context is the dashboard's
    for (const route of operatorRoutes(context as unknown as OperatorContext)) {
      app.on(route.method, route.path, (c) => route.handle(c));
    }
    app.onError((error, c) =>
      error instanceof ServiceError ? c.json(error.envelope()) : c.json({ code: error.name }),
    );
  });
  afterAll(async () => {
    await database?.close();
    await created?.drop();
  });

  it.each([
    ['busy', new ComputeOverloadError(), { retryable: true, retry_after_secs: 1 }],
    ['lost', new ComputeFailedError(), { retryable: true }],
  ])('get the same 503, as late, while threads are %s', async (_name, error, meta) => {
    fault = error;
    await challengeOf(send, operator.commitment);
    for (const key of [operator, idle, stranger]) {
      const started = performance.now();
      const signature = `0x${'11'.repeat(65)}`;
      const answer = await verify(send, { commitment: key.commitment, signature });
      expect(await answer.json()).toMatchObject({ code: 'data_unavailable', meta });
      // timers may be early by a fraction of a millisecond
      expect(performance.now() - started).toBeGreaterThan(operatorLimits.refusalMs - 2);
    }
  });

  it.each([
    ['an operator', operator],
    ['a stranger', stranger],
  ])('take turns when %s is asked for at once', async (_name, { commitment }) => {
    let asked: Promise<unknown> | undefined;
    await database.sql.begin(async (sql) => {
      // as another replica does while it issues a challenge
      await sql`select guardian.issue_challenge('operator', ${`of ${commitment}`}, ${commitment}, '{}', 1, 8)`;
      asked = challengeOf(send, commitment);
      await vi.waitFor(async () => {
        const waiting = await database.sql`select 1 from pg_stat_activity
          where datname = current_database() and wait_event = 'advisory'`;
        expect(waiting).toHaveLength(1);
      });
    });
    await asked;
  });

  it('get challenges also from processes of the version before, while the new one arrives', async () => {
    const [row] = await database.sql<{ at: Date }[]>`
      select guardian.decoy_challenge('a key', 300) as at`;
    expect(row?.at.getTime()).toBeGreaterThan(Date.now() + 240_000);
  });
});
