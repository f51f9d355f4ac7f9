/** An operator: a key, and logins below the published client to send what that one never would. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createSigner } from '../../src/demo/wallet.ts';
import type { SignatureScheme } from '../../src/guardian/networks/network.ts';

export interface OperatorKey {
  publicKey: string;
  commitment: string;
  /** Signs the digest of a challenge. */
  sign(digest: string): string;
}

export function createOperatorKey(scheme: SignatureScheme = 'falcon'): OperatorKey {
  const signer = createSigner(scheme);
  return {
    publicKey: signer.publicKey,
    commitment: signer.commitment,
    sign: (digest) => signer.signCommitment(digest) as string,
  };
}

export const allPermissions = ['accounts:pause', 'dashboard:read', 'policies:write'];

/** A list of operators that a test can change. */
export interface AllowlistFile {
  path: string;
  environment: Record<string, string>;
  write(entries: unknown): void;
  remove(): void;
}

/** @param folder where it is written; a new one without it. */
export function writeAllowlist(entries: unknown, folder?: string): AllowlistFile {
  const home = folder ?? fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-operators-'));
  const file = path.join(home, 'operators.json');
  const write = (value: unknown) =>
    fs.writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  write(entries);
  return {
    path: file,
    environment: { GUARDIAN_OPERATOR_PUBLIC_KEYS_FILE: file },
    write,
    remove: () => fs.rmSync(folder ? file : home, { recursive: true, force: true }),
  };
}

export interface Challenge {
  domain: string;
  commitment: string;
  nonce: string;
  expires_at: string;
  signing_digest: string;
}

type Send = (path: string, init?: RequestInit) => Promise<Response>;

export async function challengeOf(send: Send, commitment: string): Promise<Challenge> {
  const answer = await send(`/auth/challenge?commitment=${commitment}`);
  if (answer.status !== 200) throw new Error(await answer.text());
  return ((await answer.json()) as { challenge: Challenge }).challenge;
}

export function verify(send: Send, body: unknown): Promise<Response> {
  return send('/auth/verify', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** Logs in; the challenge comes from one place and the answer goes to another, if they differ. */
export async function logIn(key: OperatorKey, issuer: Send, verifier = issuer): Promise<string> {
  const { signing_digest } = await challengeOf(issuer, key.commitment);
  const answer = await verify(verifier, {
    commitment: key.commitment,
    signature: key.sign(signing_digest),
  });
  if (answer.status !== 200) throw new Error(await answer.text());
  return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
}
