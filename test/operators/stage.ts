/** An API with operators, and rows that no client would get stored. */
import type { Database } from '../../src/database/connect.ts';
import { expect } from 'vitest';
import { operationOf, violation } from '../http/contract/judge.ts';
import { expectRefusal, openInProcess, type Service } from '../http/service.ts';
import { createOperatorKey, logIn, writeAllowlist, type OperatorKey } from './operator.ts';

export interface OperatorStage {
  service: Service;
  database: Database;
  /** Has every permission; the reader may look, the guest nothing. */
  admin: OperatorKey;
  cookies: { admin: string; reader: string; guest: string };
  get(path: string, cookie?: string): Promise<Body>;
  post(path: string, body?: unknown, cookie?: string): Promise<Body>;
  refused(path: string, status: number, code: string, body?: unknown): Promise<void>;
  close(): Promise<void>;
}

export type Body = Record<string, unknown>;

export async function openOperatorStage(
  database: Database,
  extra: Record<string, string> = {},
): Promise<OperatorStage> {
  const keys = [createOperatorKey('ecdsa'), createOperatorKey('ecdsa'), createOperatorKey('ecdsa')];
  const [admin, reader, guest] = keys as [OperatorKey, OperatorKey, OperatorKey];
  const allowlist = writeAllowlist([
    { public_key: admin.publicKey, permissions: ['accounts:pause', 'dashboard:read'] },
    reader.publicKey,
    { public_key: guest.publicKey, permissions: [] },
  ]);
  const service = await openInProcess({ ...allowlist.environment, ...extra }, database);
  const cookies = {
    admin: await logIn(admin, service.send),
    reader: await logIn(reader, service.send),
    guest: await logIn(guest, service.send),
  };
  const request = (body: unknown, cookie: string): RequestInit =>
    body === undefined
      ? { headers: { cookie } }
      : {
          method: 'POST',
          headers: { cookie, 'content-type': 'application/json' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        };
  const answerOf = async (path: string, init: RequestInit) => {
    const answer = await service.send(path, init);
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`${answer.status} ${text}`);
    const operation = operationOf(init.method ?? 'GET', path);
    if (!operation) throw new Error(`${path} is not in the document`);
    const body = JSON.parse(text) as Body;
    expect(violation(operation, answer.status, body)).toBeUndefined();
    return body;
  };
  return {
    service,
    database,
    admin,
    cookies,
    get: (path, cookie = cookies.reader) => answerOf(path, request(undefined, cookie)),
    post: (path, body = {}, cookie = cookies.admin) => answerOf(path, request(body, cookie)),
    async refused(path, status, code, body) {
      const cookie = body === undefined ? cookies.reader : cookies.admin;
      await expectRefusal(service, { path, init: request(body, cookie) }, status, code);
    },
    async close() {
      await service.close();
      allowlist.remove();
    },
  };
}

/** Account ids of Miden by number. */
export const accountOf = (number: number): string => `0x${number.toString(16).padStart(30, '0')}`;

/** Accounts 1 to `count`, the later ones changed more lately; every third one is paused. */
export async function insertAccounts({ sql }: Database, count: number): Promise<void> {
  await sql`insert into guardian.account
      (account_id, auth_scheme, signer_commitments, commitment, state, metadata_updated_at,
       paused_at, paused_reason)
    select '0x' || lpad(to_hex(n), 30, '0'),
           case n % 2 when 0 then 'falcon' else 'ecdsa' end, array['s2', 's1', 's1'],
           'c' || n, '\\x01', now() - make_interval(secs => ${count} - n / 2),
           case n % 3 when 0 then now() end, case n % 3 when 0 then 'why' end
    from generate_series(1, ${count}) n`;
  await sql`insert into canonry.line (task, account)
    select 'canonicalize', account_id from guardian.account on conflict do nothing`;
}

export interface InsertedDelta {
  account: string;
  nonce: number;
  status: 'candidate' | 'canonical' | 'retained' | 'discarded';
  reason?: string;
  payload?: string;
  proposal?: string;
  secondsAgo?: number;
}

/** A delta as it may be stored, whatever its documents hold. */
export async function insertDelta({ sql }: Database, delta: InsertedDelta): Promise<void> {
  const { account, nonce, status, reason = null } = delta;
  const { payload = '{"data":"AA=="}', proposal = null, secondsAgo = 0 } = delta;
  await sql`
    with candidate as (
      insert into canonry.candidate (line_id, state, why, resolved_at)
      select line_id, 'finalized', 'canonical', now() from canonry.line
      where account = ${account} returning candidate_id
    )
    insert into guardian.delta (account_id, nonce, candidate_id, status, status_reason,
      status_timestamp, prev_commitment, new_commitment, summary_commitment, payload, proposal,
      ack_scheme, ack_pubkey, ack_signature, result_bound_here)
    select ${account}, ${nonce}, candidate_id, ${status}, ${reason},
      now() - make_interval(secs => ${secondsAgo}), 'c1', 'c2', 'm', ${payload}::text::json,
      ${proposal}::text::json, 'ecdsa', 'k', 'a', true
    from candidate`;
}

export interface InsertedProposal {
  account: string;
  commitment: string;
  nonce: number;
  payload: string;
  signers: number;
  secondsAgo: number;
}

export async function insertProposal({ sql }: Database, proposal: InsertedProposal): Promise<void> {
  const { account, commitment, nonce, payload, signers, secondsAgo } = proposal;
  await sql`insert into guardian.proposal
      (account_id, commitment, nonce, prev_commitment, proposer, payload, created_at)
    values (${account}, ${commitment}, ${nonce}, 'c1', 's1', ${payload}::text::json,
      now() - make_interval(secs => ${secondsAgo}))`;
  await sql`insert into guardian.proposal_signature
      (account_id, commitment, signer_commitment, signature)
    select ${account}, ${commitment}, 's' || n, '{}' from generate_series(1, ${signers}) n`;
}

/** All items of a list, page by page; fails when a page is longer than asked for. */
export async function walk(
  get: (path: string) => Promise<Body>,
  path: string,
  limit: number,
): Promise<{ items: Body[]; pages: number }> {
  const items: Body[] = [];
  let cursor: string | null = '';
  let pages = 0;
  while (cursor !== null) {
    const more: string = `${path}${path.includes('?') ? '&' : '?'}limit=${limit}&cursor=${cursor}`;
    const page = await get(more);
    const found = page['items'] as Body[];
    if (found.length > limit) throw new Error('the page is too long');
    items.push(...found);
    cursor = page['next_cursor'] as string | null;
    pages += 1;
  }
  return { items, pages };
}
