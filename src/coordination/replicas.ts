import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/connect.ts';
import { endSilentProcess } from '../database/silence.ts';
import { coordinationLimits as limits, databaseLimits } from '../limits.ts';
import { errorFields, type Log } from '../observability/log.ts';

/**
 * What a process announces of its configuration. What two processes both announce has to be equal.
 * Secrets only as fingerprints.
 */
export type SharedSettings = Readonly<Record<string, string>>;

export interface Replica {
  id: string;
  /** Settles when the first announcement has been taken, or has failed. */
  announced: Promise<void>;
  /** Ends the announcements and takes this process off the list. */
  leave(): Promise<void>;
}

/**
 * Announces this process to the others, through the database they share, at its start and every half
 * minute. Settings that differ between living processes are a warning by their names, once for
 * each change: a mixed configuration works until two replicas serve one client. A database that
 * fails keeps nobody from working; the next announcement tries again.
 *
 * @param onSilence called when an announcement has had no answer for databaseLimits.silentMs.
 */
export function joinReplicas(
  sql: Sql,
  log: Log,
  { role, settings }: { role: 'api' | 'worker'; settings: SharedSettings },
  onSilence: () => void = endSilentProcess,
): Replica {
  const id = `${role}-${randomBytes(8).toString('hex')}`;
  let warned = '';
  const announce = async () => {
    try {
      const differing = await sql<{ setting: string }[]>`
        select setting from canonry.announce(
          ${id}, ${role}, ${JSON.stringify(settings)}::text::json, ${limits.silentSeconds}) setting`;
      const names = differing.map(({ setting }) => setting);
      if (names.length > 0 && names.join() !== warned) {
        log.warn({ replica: id, settings: names }, 'replicas are configured differently');
      }
      warned = names.join();
    } catch (error) {
      log.warn(errorFields(error), 'this process could not announce itself');
    }
  };
  let pending: Promise<void> | undefined;
  let since = 0;
  const announceNow = () => {
    if (pending) {
      if (performance.now() - since > databaseLimits.silentMs) onSilence();
      return pending;
    }
    since = performance.now();
    pending = announce().finally(() => {
      pending = undefined;
    });
    return pending;
  };
  const announced = announceNow();
  const timer = setInterval(() => void announceNow(), limits.announceMs);
  const leave = async () => {
    // an announcement that is still on its way would put this process back on the list
    await pending;
    await sql`select canonry.leave(${id})`.catch((error: unknown) =>
      log.debug(errorFields(error), 'this process stays on the list until it is silent'),
    );
  };
  return {
    id,
    announced,
    async leave() {
      clearInterval(timer);
      await Promise.race([leave(), sleep(limits.leaveMs, undefined, { ref: false })]);
    },
  };
}

/** A setting of a living process. */
export interface AnnouncedSetting {
  replica_id: string;
  role: string;
  setting: string;
  /** Equal for equal values. */
  variant: bigint;
  /** Null where it could be a secret or tell of one. */
  value: string | null;
}

/** For the doctor: what joinReplicas warns of, seen from outside. */
export function announcedSettings(sql: Sql): Promise<AnnouncedSetting[]> {
  return sql<AnnouncedSetting[]>`
    select replica_id, role, setting, variant, value
    from canonry.announced(${limits.silentSeconds})`;
}
