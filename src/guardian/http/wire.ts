import * as v from 'valibot';
import { timeText } from '../wire-values.ts';

/** Answer of GET / and GET /status. */
export const statusAnswer = v.object({
  status: v.literal('ok'),
  version: v.string(),
  git_commit: v.string(),
  environment: v.picklist(['local', 'devnet', 'testnet']),
  started_at: timeText,
  uptime_seconds: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

/** Answer of GET /pubkey. */
export const pubkeyAnswer = v.object({
  commitment: v.string(),
  pubkey: v.exactOptional(v.string()),
});
