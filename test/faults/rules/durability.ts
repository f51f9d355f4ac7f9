/** What clients were told against what is in the database. */
import type { ClientEvent, DeltaRow, Run } from '../history.ts';
import { violation, type Violation } from './violation.ts';

type EventOf<K extends ClientEvent['kind']> = Extract<ClientEvent, { kind: K }>;

function eventsOf<K extends ClientEvent['kind']>(run: Run, kind: K): EventOf<K>[] {
  return run.events.filter((event): event is EventOf<K> => event.kind === kind);
}

/** Acknowledged implies durable, with the acknowledgement that was given, for ever. */
export function checkAcknowledged(run: Run): Violation[] {
  const rows = new Map(run.final.deltas.map((row) => [keyOf(row.account_id, row.nonce), row]));
  const planned = new Map(
    eventsOf(run, 'attempted').map((event) => [keyOf(event.account, event.nonce), event]),
  );
  const acknowledged = new Set<string>();
  const violations = eventsOf(run, 'acknowledged').flatMap((event) => {
    const key = keyOf(event.account, event.nonce);
    acknowledged.add(key);
    const row = rows.get(key);
    if (!row) return [violation('lost', `${key} was acknowledged and is gone`)];
    return [
      ...compare(`acknowledgement of ${key}`, event.ack, row.ack),
      ...compare(`result of ${key}`, event.next, row.next),
      ...compare(`computed result of ${key}`, planned.get(key)?.next, row.next),
    ];
  });
  const silent = [...planned.keys()].filter((key) => !acknowledged.has(key));
  return [
    ...violations,
    ...silent.map((key) => violation('lost', `${key} was sent to the end without an answer`)),
    ...[...rows.keys()]
      .filter((key) => !planned.has(key))
      .map((key) => violation('duplicate', `${key} is there and nobody sent it`)),
  ];
}

/** A delta that was seen canonical is canonical from then on, under the same acknowledgement. */
export function checkObserved(run: Run): Violation[] {
  const rows = new Map(run.final.deltas.map((row) => [keyOf(row.account_id, row.nonce), row]));
  const canonical = new Set<string>();
  return eventsOf(run, 'observed').flatMap((event) => {
    const key = keyOf(event.account, event.nonce);
    const found = compare(`acknowledgement seen of ${key}`, event.ack, rows.get(key)?.ack);
    if (canonical.has(key) && event.status !== 'canonical') {
      found.push(violation('durability', `${key} was canonical and then ${event.status}`));
    }
    if (event.status === 'canonical') canonical.add(key);
    return found;
  });
}

/** Every delta ends canonical, and every account at the result of its last one. */
export function checkFinished(run: Run): Violation[] {
  const last = new Map<string, DeltaRow>();
  for (const row of run.final.deltas) {
    if ((last.get(row.account_id)?.nonce ?? 0) < row.nonce) last.set(row.account_id, row);
  }
  return [
    ...run.final.deltas
      .filter(({ status }) => status !== 'canonical')
      .map((row) =>
        violation('lost', `${keyOf(row.account_id, row.nonce)} landed and is ${row.status}`),
      ),
    ...run.final.accounts.flatMap(({ account_id: account, commitment }) => {
      const delta = last.get(account);
      return delta ? compare(`commitment of ${account}`, commitment, delta.next) : [];
    }),
    ...run.final.unresolved.map(({ candidate_id: id, state, why, last_error: error }) =>
      violation('lost', `candidate ${id} is ${state} to the end: ${why}, ${error ?? 'no error'}`),
    ),
  ];
}

/** Refusals that only a fault of the service explains. */
export function checkRefusals(run: Run): Violation[] {
  return eventsOf(run, 'refused').map(({ account, nonce, code }) =>
    violation('refused', `${keyOf(account, nonce)} was answered with ${code}`),
  );
}

function compare(what: string, told: string | undefined, kept: string | undefined): Violation[] {
  if (told === kept) return [];
  return [
    violation('durability', `${what}: ${told ?? 'none'} was told, ${kept ?? 'none'} is kept`),
  ];
}

const keyOf = (account: string, nonce: number): string => `${account}/${nonce}`;
