import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createDatabase } from '../support/databases.ts';
import { startDeno, startNode } from '../support/process.ts';
import { systemEnvironment, type Runtime } from '../support/system.ts';

export interface Replicas {
  urls: [string, string];
  stop(): Promise<void>;
}

/** Two API processes with the same keys on one Postgres 18. */
export async function startReplicas(
  runtime: Runtime,
  extra: Record<string, string>,
): Promise<Replicas> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-evm-'));
  const database = await createDatabase();
  const env = {
    // no EVM route looks at a Miden node
    ...systemEnvironment(folder, { url: 'http://127.0.0.1:9' }),
    DATABASE_URL: database.url,
    CANONRY_COMPUTE_THREADS: '1',
    ...extra,
  };
  const [start, file] =
    runtime === 'deno' ? [startDeno, 'src/entry/api.deno.ts'] : [startNode, 'src/entry/api.ts'];
  const ready = /ready at (http:\/\/\S+)/;
  const urlOf = async ({ says }: ReturnType<typeof start>) => (await says(ready))[1] ?? '';
  // the first one writes the keys that both use
  const first = start(file, { env });
  const firstUrl = await urlOf(first);
  const second = start(file, { env });
  return {
    urls: [firstUrl, await urlOf(second)],
    async stop() {
      for (const { child } of [first, second]) child.kill('SIGTERM');
      await Promise.all([first.exit, second.exit]);
      await database.drop();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
