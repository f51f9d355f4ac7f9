/** Values that many answers hold. */
import * as v from 'valibot';
import type { JsonValue } from './authentication/canonical-json.ts';

/** RFC 3339, UTC. */
export const timeText = v.pipe(v.string(), v.isoTimestamp());

/** JSON of a client's own making, kept as it was sent. */
export const anyJson = v.custom<JsonValue>(() => true);
export const anyObject = v.record(v.string(), anyJson);

/** A nonce as it is stored: a Postgres bigint. */
export const largestNonce = 2n ** 63n - 1n;
export const storedNonce = v.pipe(v.bigint(), v.minValue(0n), v.maxValue(largestNonce));
