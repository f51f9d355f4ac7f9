/** The edge's part of docs/performance.md, out of the result of the run. */
import type { Fields } from '../kernel/scenario.ts';
import { markdownTable } from '../table.ts';
import { edgeCalls } from './calls.ts';
import { roundTripsMs } from './run.ts';

/** @param fields the last result of `npm run bench -- edge`. */
export function edgeSection(fields: Fields): string {
  const columns = ['round_trips_cold', 'round_trips_cached'];
  const times = roundTripsMs.map((ms) => `p50_ms_at_${ms}`);
  return [
    '## The edge: round trips to the database',
    'A counting proxy between API and Postgres counts every time the API waits for an answer of the database, and makes each wait as long as the distance named. "Cold": this process has not seen the account; "cached": it remembers it, and the statement that does the work says when the memory is old. Statements are prepared, so each connection asks once more when it first meets one; through a transaction pooler (`DIRECT_DATABASE_URL` beside `DATABASE_URL`) nothing is prepared and every statement takes two. `test/guardian/http/round-trips.db.test.ts` holds the counts.',
    `\`npm run bench -- edge --json\`: milliseconds, median of ${fields['samples'] ?? ''} calls of the published client one after the other, ECDSA, account cached; signing, HTTP and the look at the development chain (abandon) included. ${fields['cpu'] ?? ''}, ${fields['cores'] ?? ''} cores, Node ${fields['node'] ?? ''}${fields['load_before'] === undefined ? '' : `, load before ${fields['load_before']}`}.`,
    markdownTable(
      ['endpoint', 'cold', 'cached', ...roundTripsMs.map((ms) => `p50, ${ms} ms away`)],
      edgeCalls.map((call) => [
        `\`${call.endpoint}\``,
        ...[...columns, ...times].map((column) => fields[`${call.name}_${column}`]),
      ]),
    ),
  ].join('\n\n');
}
