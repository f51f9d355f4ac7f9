import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * The name of a test file says what it needs:
 *   *.test.ts          nothing but this process ("unit")
 *   *.db.test.ts       databases: Postgres 18 and 15, the embedded one ("database")
 *   *.process.test.ts  databases and processes of its own, one file at a time ("process")
 *   clients/*.test.ts  a running system and the published clients ("clients")
 */
const databases = 'test/support/clusters.setup.ts';
const clients = 'test/clients/**/*.test.ts';

export default defineConfig({
  test: {
    // by default all processors but one: on two that is one file at a time
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.db.test.ts', 'test/**/*.process.test.ts', clients],
          testTimeout: 10_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'database',
          include: ['test/**/*.db.test.ts'],
          exclude: [clients],
          globalSetup: [databases],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'process',
          include: ['test/**/*.process.test.ts'],
          exclude: [clients],
          globalSetup: [databases],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'clients',
          include: [clients],
          globalSetup: [databases],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
