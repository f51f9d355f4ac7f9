/**
 * The parts of fly.toml that this project uses (fly.io/docs/reference/configuration), strictly:
 * Fly publishes no schema, and a misspelt key would show only in a deploy.
 */
import * as v from 'valibot';

const whole = (min: number, max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
const duration = v.pipe(v.string(), v.regex(/^(?:\d+(?:ms|s|m|h))+$/));
const groups = v.pipe(v.array(v.string()), v.minLength(1));
const port = whole(1, 65_535);
const httpCheck = {
  method: v.picklist(['GET', 'HEAD']),
  path: v.pipe(v.string(), v.startsWith('/')),
  grace_period: duration,
  interval: duration,
  timeout: duration,
};

export const flySchema = v.strictObject({
  app: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]*$/)),
  primary_region: v.pipe(v.string(), v.regex(/^[a-z]{3}$/)),
  kill_signal: v.picklist(['SIGINT', 'SIGTERM', 'SIGQUIT']),
  kill_timeout: whole(1, 300),
  build: v.strictObject({ dockerfile: v.string() }),
  deploy: v.strictObject({
    release_command: v.string(),
    strategy: v.picklist(['rolling', 'immediate', 'canary', 'bluegreen']),
  }),
  env: v.record(v.pipe(v.string(), v.regex(/^(?!FLY_)[A-Z][A-Z0-9_]*$/)), v.string()),
  processes: v.record(v.string(), v.string()),
  http_service: v.strictObject({
    processes: groups,
    internal_port: port,
    force_https: v.boolean(),
    auto_stop_machines: v.picklist(['off', 'stop', 'suspend']),
    auto_start_machines: v.boolean(),
    min_machines_running: whole(0, 100),
    concurrency: v.strictObject({
      type: v.picklist(['connections', 'requests']),
      soft_limit: whole(1, 100_000),
      hard_limit: whole(1, 100_000),
    }),
    checks: v.array(v.strictObject(httpCheck)),
  }),
  checks: v.record(
    v.string(),
    v.strictObject({ ...httpCheck, type: v.picklist(['tcp', 'http']), port, processes: groups }),
  ),
  restart: v.array(
    v.strictObject({ policy: v.picklist(['always', 'never', 'on-failure']), processes: groups }),
  ),
  vm: v.array(
    v.strictObject({
      processes: groups,
      size: v.pipe(v.string(), v.regex(/^(?:shared|performance)-cpu-\d+x$/)),
      memory: v.pipe(v.string(), v.regex(/^\d+(?:mb|gb)$/)),
    }),
  ),
});
