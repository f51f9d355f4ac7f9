/** The limit of a fleet, measured at its proxy: each replica takes its part without asking another. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startFleet } from '../cluster/fleet.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';

const limitPerSecond = 20;
const seconds = 4;

let created: TestDatabase;
beforeAll(async () => {
  created = await createDatabase();
});
afterAll(() => created?.drop());

/** Asks three times as often as the limit allows, through the proxy. */
async function measure(url: string): Promise<{ accepted: number; refused: number }> {
  const counts = { accepted: 0, refused: 0 };
  const asked: Promise<void>[] = [];
  const started = performance.now();
  const every = 1_000 / (limitPerSecond * 3);
  await new Promise<void>((resolve) => {
    let next = 0;
    const timer = setInterval(() => {
      const elapsed = performance.now() - started;
      for (; next <= elapsed; next += every) {
        asked.push(
          fetch(`${url}/pubkey`).then(async (answer) => {
            await answer.arrayBuffer();
            if (answer.status === 200) counts.accepted += 1;
            else if (answer.status === 429) counts.refused += 1;
            else throw new Error(`answered ${answer.status}`);
          }),
        );
      }
      if (elapsed < seconds * 1_000) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
  await Promise.all(asked);
  return counts;
}

// three does not divide twenty: each of three replicas takes six and two thirds
it.each([2, 3, 6])('SC-005: %i replicas accept the limit of the fleet', async (replicas) => {
  const fleet = await startFleet({
    api: replicas,
    workers: 0,
    databaseUrl: created.url,
    env: {
      GUARDIAN_RATE_LIMIT_ENABLED: 'true',
      GUARDIAN_RATE_BURST_PER_SEC: String(limitPerSecond),
      GUARDIAN_RATE_PER_MIN: '100000',
      GUARDIAN_MAX_REPLICAS: String(replicas),
      CANONRY_COMPUTE_THREADS: '1',
    },
  });
  try {
    const { accepted, refused } = await measure(fleet.url);
    // at first every budget is full: one second's worth more, once
    expect(accepted).toBeLessThanOrEqual(limitPerSecond * (seconds + 1) + replicas);
    expect(accepted).toBeGreaterThan(limitPerSecond * seconds * 0.9);
    expect(refused).toBeGreaterThan(limitPerSecond * seconds);
  } finally {
    await fleet.stop();
  }
});
