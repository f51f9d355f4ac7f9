/** `canonry doctor`: what the database shows, and what the living processes say of themselves. */
import { announcedSettings, type AnnouncedSetting } from '../../coordination/replicas.ts';
import { unwatchedAccounts } from '../../guardian/deltas/reconcile.ts';
import { examine, type Finding } from '../../kernel/doctor.ts';
import type { Answer, Command } from './command.ts';

/** Exit code 1 when anything is wrong. */
export async function doctor({ database }: Command): Promise<Answer> {
  const announced = await announcedSettings(database.sql);
  const valuesOf = (name: string) => announced.filter(({ setting }) => setting === name);
  const kernel = await examine(database, {
    wakeQueues: [...new Set(valuesOf('WAKE_QUEUE').map(({ value }) => value ?? ''))],
    poolSizes: valuesOf('own:GUARDIAN_DB_POOL_MAX_SIZE').map(({ replica_id: process, value }) => ({
      process,
      size: Number(value),
    })),
    variables: {
      wakeQueue: 'WAKE_QUEUE',
      poolSize: 'GUARDIAN_DB_POOL_MAX_SIZE',
      lookDeadline: 'GUARDIAN_MIDEN_RPC_TIMEOUT_MS',
    },
  });
  const findings = [
    ...kernel,
    givenUpDeltas(await unwatchedAccounts(database.sql)),
    replicaSettings(announced),
  ];
  const text = findings.map(({ check, ok, detail, remedy }) =>
    ok ? `ok    ${check}: ${detail}` : `WRONG ${check}: ${detail}\n      ${remedy}`,
  );
  return {
    data: { findings },
    text: text.join('\n'),
    exitCode: findings.every(({ ok }) => ok) ? 0 : 1,
  };
}

function givenUpDeltas(unwatched: string[]): Finding {
  const check = 'given up deltas';
  if (unwatched.length === 0)
    return { check, ok: true, detail: 'a job looks after each that may still land' };
  return {
    check,
    ok: false,
    detail: `the job of ${unwatched.length} accounts with deltas that may still land is missing`,
    remedy: 'canonry failed lists them; canonry retry ACCOUNT --task reconcile brings it back',
  };
}

function replicaSettings(announced: AnnouncedSetting[]): Finding {
  const check = 'replica settings';
  const differing = [...Map.groupBy(announced, ({ setting }) => setting)]
    .filter(([, all]) => all.some(({ variant }) => variant > 1n))
    .map(([setting, all]) => `${setting} (${whoHasWhat(all)})`);
  if (differing.length === 0) {
    return { check, ok: true, detail: 'the same on all living processes' };
  }
  return {
    check,
    ok: false,
    detail: `not the same on all: ${differing.join('; ')}`,
    remedy: 'give every process the same values, then restart those that differ',
  };
}

/** `account on api-1, api-2 and none on worker-1`. */
function whoHasWhat(all: AnnouncedSetting[]): string {
  return [...Map.groupBy(all, ({ variant }) => variant)]
    .map(([variant, processes]) => {
      const value = processes[0]?.value ?? `value ${variant}`;
      return `${value} on ${processes.map(({ replica_id: id }) => id).join(', ')}`;
    })
    .join(' and ');
}
