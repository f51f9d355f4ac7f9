/** `npm run bench -- edge`: what each endpoint waits for, near the database and far from it. */
import { openDatabase } from '../../../src/database/connect.ts';
import { migrate } from '../../../src/database/migrate.ts';
import { startCluster } from '../../support/cluster.ts';
import type { Fields } from '../kernel/scenario.ts';
import { machine, summarize } from '../report.ts';
import { edgeCalls } from './calls.ts';
import { countRoundTrips, timeCalls } from './measure.ts';
import { openEdgeStage } from './stage.ts';

/** One way and back between API and database: the same machine, the same region, another one. */
export const roundTripsMs = [0, 20, 80] as const;
const samples = 11;

/** Each call of the client: round trips, and the median of calls with a remembered account. */
export async function measureEdge(say: (line: string) => void): Promise<Fields> {
  const cluster = await startCluster();
  try {
    const database = await openDatabase({ databaseUrl: cluster.url() });
    await migrate(database);
    await database.close();
    const stage = await openEdgeStage(cluster.url());
    const fields: Fields = {};
    try {
      for (const call of edgeCalls) {
        say(`${call.endpoint} …`);
        const { cold, cached } = await countRoundTrips(stage, call);
        fields[`${call.name}_round_trips_cold`] = cold;
        fields[`${call.name}_round_trips_cached`] = cached;
        for (const ms of roundTripsMs) {
          stage.database.setRoundTripMs(ms);
          const { median_ms } = summarize(call.endpoint, await timeCalls(stage, call, samples));
          fields[`${call.name}_p50_ms_at_${ms}`] = median_ms ?? Number.NaN;
        }
        stage.database.setRoundTripMs(0);
      }
    } finally {
      await stage.close();
    }
    const { cpu, cores, node } = machine;
    return { scenario: 'edge', ...fields, samples, cpu, cores, node };
  } finally {
    await cluster.remove();
  }
}
