import type { Context } from 'hono';
import { ServiceError } from '../../errors.ts';
import type { Route } from '../../http/routes.ts';
import { ComputeFailedError, ComputeOverloadError } from '../networks/miden/compute/errors.ts';
import { FalconSigningError } from '../networks/miden/falcon/sign.ts';
import { ChainError } from '../networks/network.ts';

/** What a client is told about a fault of ours, or of the chain; everything else stays as it is. */
function translate(error: unknown): unknown {
  if (error instanceof ComputeOverloadError) {
    return new ServiceError('data_unavailable', undefined, {
      meta: { retry_after_secs: 1 },
      cause: error,
    });
  }
  if (error instanceof ComputeFailedError) {
    return new ServiceError('data_unavailable', undefined, { cause: error });
  }
  if (error instanceof FalconSigningError) {
    return new ServiceError('signing_error', undefined, { cause: error });
  }
  if (error instanceof ChainError) {
    return new ServiceError('rpc_unavailable', undefined, { cause: error });
  }
  return error;
}

/** A route whose domain faults have become errors of the table. */
export function withFaults(route: Route): Route {
  return {
    ...route,
    async handle(c: Context) {
      try {
        return await route.handle(c);
      } catch (error) {
        throw translate(error);
      }
    },
  };
}
