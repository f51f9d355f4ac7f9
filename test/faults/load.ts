/** Clients under faults: they repeat what got no answer, and write down everything they see. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LabAccount, PlannedDelta } from './account.ts';
import type { LabChain } from './chain.ts';
import type { ClientEvent } from './history.ts';
import type { Random } from './random.ts';

export interface LoadOptions {
  url: string;
  chain: LabChain;
  record(event: ClientEvent): void;
  /** No new delta is planned afterwards; what was planned is sent until it is acknowledged. */
  stopping(): boolean;
  /** Nothing is sent afterwards. */
  over(): boolean;
  /** Candidates an account may have at once. */
  depth: number;
  /** Share of deltas whose transaction has landed before they are sent. Only with depth 1. */
  landedBefore: number;
  /** Of a pipeline: share of deltas whose transaction lands as soon as they are sent, not at its end. */
  landedAtOnce: number;
}

/** Between two looks of a client, and before it repeats what got no answer. */
const pauseMs = 60;

/** Sends deltas of one account, lands them, and watches them become canonical. */
export async function runAccount(
  account: LabAccount,
  random: Random,
  options: LoadOptions,
): Promise<void> {
  const { chain, record, stopping, over, depth } = options;
  const open: PlannedDelta[] = [];
  let landed = 0;
  const land = (delta: PlannedDelta | undefined) => {
    if (!delta || delta.nonce <= landed) return;
    landed = delta.nonce;
    chain.land(account.accountId, delta.next);
    record({ kind: 'landed', at: Date.now(), account: account.accountId, next: delta.next });
  };
  while (!over()) {
    if (!stopping() && open.length < depth) {
      const delta = account.plan();
      open.push(delta);
      if (depth === 1 && random.chance(options.landedBefore)) land(delta);
      await submitEverywhere(account, delta, options);
      if (delta.nonce > landed) await sleep(random.between(0, depth === 1 ? 500 : 120));
      // the chain takes the transactions of an account in order, one or several at a time
      if (depth === 1 || random.chance(options.landedAtOnce)) land(delta);
      continue;
    }
    const [oldest] = open;
    if (!oldest) return;
    land(open.at(-1));
    const client = random.between(0, account.clients - 1);
    if ((await observe(account, oldest, client, options)) === 'canonical') {
      open.shift();
      if (account.clients > 1) await submitEverywhere(account, oldest, options);
    } else await sleep(pauseMs);
  }
}

/** Every client of the account sends the same delta at once. */
async function submitEverywhere(
  account: LabAccount,
  delta: PlannedDelta,
  options: LoadOptions,
): Promise<void> {
  const { nonce, prev, next } = delta;
  const at = Date.now();
  options.record({ kind: 'attempted', at, account: account.accountId, nonce, prev, next });
  const clients = Array.from({ length: account.clients }, (_, client) => client);
  await Promise.all(clients.map((client) => submit(account, delta, client, options)));
}

/** Refusals that a client meets without anybody's fault; it sends the delta again. */
const passing = new Set(['conflict_pending_delta', 'authentication_replay']);

async function submit(
  account: LabAccount,
  delta: PlannedDelta,
  client: number,
  { url, record, over }: LoadOptions,
): Promise<void> {
  const { nonce } = delta;
  while (!over()) {
    const { status, body } = await account.submit(url, delta, client);
    const at = Date.now();
    if (status === 200) {
      const [next, ack] = [String(body['new_commitment']), String(body['ack_sig'])];
      const about = { account: account.accountId, nonce, next, ack, client };
      return record({ kind: 'acknowledged', at, ...about });
    }
    const code = String(body['code']);
    if (status !== 0 && status < 500 && !passing.has(code)) {
      record({ kind: 'refused', at, account: account.accountId, nonce, code });
    }
    await sleep(pauseMs);
  }
}

/** The status that the service tells, or undefined when it tells none. */
async function observe(
  account: LabAccount,
  { nonce }: PlannedDelta,
  client: number,
  { url, record }: LoadOptions,
): Promise<string | undefined> {
  const { status, body } = await account.read(url, nonce, client);
  const at = Date.now();
  if (status === 200) {
    const { status: name } = body['status'] as { status: string };
    const about = { account: account.accountId, nonce, status: name, ack: String(body['ack_sig']) };
    record({ kind: 'observed', at, ...about });
    return name;
  }
  const code = String(body['code']);
  if (status !== 0 && status < 500 && !passing.has(code)) {
    record({ kind: 'refused', at, account: account.accountId, nonce, code });
  }
  return undefined;
}
