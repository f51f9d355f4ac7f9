import { randomBytes } from 'node:crypto';
import type { Sql } from '../database/connect.ts';
import { endSilentProcess } from '../database/silence.ts';
import { coordinationLimits as limits, databaseLimits } from '../limits.ts';
import { errorFields, type Log } from '../observability/log.ts';

/** What has to be equal on every process of a role. Secrets only as fingerprints. */
export type SharedSettings = Readonly<Record<string, string>>;

export interface Replica {
  id: string;
  /** Ends the announcements and takes this process off the list. */
  leave(): Promise<void>;
}

/**
 * Announces this process to the others of its role, through the database they share, at its start and
 * every half minute. Settings that differ between living processes are a warning by their names,
 * once for each change: a mixed configuration works until two replicas serve one client. A
 * database that fails keeps nobody from serving; the next announcement tries again.
 *
 * @param onSilence called when an announcement has had no answer for databaseLimits.silentMs.
 */
export async function joinReplicas(
  sql: Sql,
  log: Log,
  { role, settings }: { role: 'api' | 'worker'; settings: SharedSettings },
  onSilence: () => void = endSilentProcess,
): Promise<Replica> {
  const id = `${role}-${randomBytes(8).toString('hex')}`;
  let warned = '';
  let pendingSince: number | null = null;
  const announce = async () => {
    if (pendingSince !== null) {
      if (performance.now() - pendingSince > databaseLimits.silentMs) onSilence();
      return;
    }
    pendingSince = performance.now();
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
    } finally {
      pendingSince = null;
    }
  };
  await announce();
  const timer = setInterval(() => void announce(), limits.announceMs);
  return {
    id,
    async leave() {
      clearInterval(timer);
      await sql`select canonry.leave(${id})`.catch((error: unknown) =>
        log.debug(errorFields(error), 'this process stays on the list until it is silent'),
      );
    },
  };
}

/** A setting that differs between living processes of a role. */
export interface MixedSetting {
  role: string;
  setting: string;
  variants: bigint;
}

/** For the doctor: what joinReplicas warns of, seen from outside. */
export function mixedSettings(sql: Sql): Promise<MixedSetting[]> {
  return sql<MixedSetting[]>`
    select role, setting, variants from canonry.mixed_settings(${limits.silentSeconds})`;
}
