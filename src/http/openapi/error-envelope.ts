import * as v from 'valibot';
import { errorTable } from '../../errors.ts';

const time = v.pipe(v.string(), v.isoTimestamp());

/** The body of every error. */
export const errorEnvelope = v.object({
  code: v.picklist([...new Set(errorTable().map(({ code }) => code))]),
  message: v.pipe(v.string(), v.description('Short, for people; it may change.')),
  meta: v.object({
    retryable: v.pipe(
      v.boolean(),
      v.description('Whether the same request, signed again, may succeed later.'),
    ),
    retry_after_secs: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
    paused_at: v.optional(time),
    paused_reason: v.optional(v.nullable(v.string())),
    released_at: v.optional(time),
    missing_permissions: v.optional(v.array(v.string())),
  }),
});
