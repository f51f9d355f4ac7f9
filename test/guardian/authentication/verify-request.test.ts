import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { falcon512 } from '@noble/post-quantum/falcon.js';
import { expect, test, vi } from 'vitest';

import { authenticationLimits } from '../../../src/limits.ts';
import { lookupMessage } from '../../../src/guardian/authentication/lookup-message.ts';
import { requestMessage } from '../../../src/guardian/authentication/request-message.ts';
import {
  AuthenticationError,
  type SignatureClaim,
  verifySignedMessage,
} from '../../../src/guardian/authentication/signature.ts';
import {
  type RequestClaim,
  signerOfRequest,
  verifyRequest,
} from '../../../src/guardian/authentication/verify-request.ts';
import {
  ecdsaCommitments,
  ecdsaPublicKey,
  signEcdsa,
} from '../../../src/guardian/networks/miden/ecdsa.ts';
import { decodeSecretKey } from '../../../src/guardian/networks/miden/falcon/secret-key.ts';
import { sign } from '../../../src/guardian/networks/miden/falcon/sign.ts';
import { publicKeyCommitment } from '../../../src/guardian/networks/miden/falcon/verify.ts';
import { type Word, wordToHex } from '../../../src/guardian/networks/miden/word.ts';
import type { SignatureScheme } from '../../../src/guardian/networks/network.ts';

const ACCOUNT = '0x25ae6647d3c87001607b46e56f1260';
const PAYLOAD = `{"account_id":"${ACCOUNT}"}`;
const AT = 1_700_000_000_000n;
const STRANGER = `0x${'11'.repeat(32)}`;

interface Signer {
  scheme: SignatureScheme;
  publicKey: string;
  commitment: string;
  sign: (message: Word) => string;
}

function falconSigner(seed: number): Signer {
  const { secretKey, publicKey } = falcon512.keygen(new Uint8Array(48).fill(seed));
  const key = decodeSecretKey(secretKey);
  return {
    scheme: 'falcon',
    publicKey: `0x${bytesToHex(publicKey)}`,
    commitment: wordToHex(publicKeyCommitment(key.publicKey)),
    sign: (message) => `0x${bytesToHex(sign(key, message))}`,
  };
}

function ecdsaSigner(seed: number, form: 'native' | 'packed' = 'native'): Signer {
  const secretKey = new Uint8Array(32).fill(seed);
  const publicKey = ecdsaPublicKey(secretKey);
  return {
    scheme: 'ecdsa',
    publicKey: `0x${bytesToHex(publicKey)}`,
    commitment: wordToHex(ecdsaCommitments(publicKey)![form]),
    sign: (message) => `0x${bytesToHex(signEcdsa(secretKey, message))}`,
  };
}

function claim(signer: Signer, changes: Partial<RequestClaim> = {}): RequestClaim {
  return {
    scheme: signer.scheme,
    accountId: ACCOUNT,
    timestamp: AT,
    payload: PAYLOAD,
    publicKey: signer.publicKey,
    signature: signer.sign(requestMessage(ACCOUNT, AT, PAYLOAD)),
    authorized: [STRANGER, signer.commitment],
    ...changes,
  };
}

const signers: [string, Signer, Signer][] = [
  ['falcon', falconSigner(1), falconSigner(2)],
  ['ecdsa of 0.16', ecdsaSigner(1), ecdsaSigner(2)],
  ['ecdsa of 0.15', ecdsaSigner(1, 'packed'), ecdsaSigner(2, 'packed')],
];

test.each(signers)('%s: a cosigner is known by its commitment', (_name, signer, other) => {
  expect(verifyRequest(claim(signer))).toBe(signer.commitment);
  const both = [other.commitment, signer.commitment];
  expect(verifyRequest(claim(signer, { authorized: both }))).toBe(signer.commitment);
});

test.each(signers)('%s: hex without 0x and in capitals is the same', (_name, signer) => {
  const { signature, publicKey } = claim(signer);
  const bare = { signature: signature.slice(2).toUpperCase(), publicKey: publicKey.slice(2) };
  expect(verifyRequest(claim(signer, bare))).toBe(signer.commitment);
});

test.each(signers)('%s: x-pubkey may be the commitment', (_name, signer) => {
  const publicKey = signer.commitment;
  expect(verifyRequest(claim(signer, { publicKey }))).toBe(signer.commitment);
});

test.each(signers)('%s: anything else is refused', (_name, signer, other) => {
  const good = claim(signer);
  const wrong: Partial<RequestClaim>[] = [
    { authorized: [] },
    { authorized: [STRANGER, other.commitment] },
    { timestamp: AT + 1n },
    { payload: `${PAYLOAD} ` },
    { accountId: ACCOUNT.replace(/0$/, '1') },
    { signature: other.sign(requestMessage(ACCOUNT, AT, PAYLOAD)) },
    // A claim of identity is not one.
    { signature: other.sign(requestMessage(ACCOUNT, AT, PAYLOAD)), publicKey: signer.commitment },
    { signature: signer.sign(lookupMessage(AT, signer.commitment)) },
    { signature: '' },
    { signature: '0x' },
    { signature: 'zz' },
    { signature: good.signature.slice(0, -1) },
    { signature: good.signature.slice(0, -2) },
    { signature: `${good.signature}00` },
    { signature: '0x'.padEnd(1_000_000, 'a') },
    { signature: `0x${'00'.repeat(65)}` },
    { signature: `0x${'ff'.repeat(1524)}` },
    { publicKey: 'not hex' },
    { publicKey: '0x'.padEnd(1_000_000, 'a') },
    { scheme: signer.scheme === 'falcon' ? 'ecdsa' : 'falcon' },
  ];
  for (const change of wrong) {
    expect(
      () => verifyRequest({ ...good, ...change }),
      JSON.stringify(Object.keys(change)),
    ).toThrow(AuthenticationError);
  }
});

test('ecdsa: the key in the header helps when the recovery id is wrong', () => {
  const signer = ecdsaSigner(1);
  const signature = signer.sign(requestMessage(ACCOUNT, AT, PAYLOAD));
  const turned = `${signature.slice(0, -2)}0${signature.endsWith('1') ? '0' : '1'}`;
  expect(verifyRequest(claim(signer, { signature: turned }))).toBe(signer.commitment);
  const foreign = { signature: turned, publicKey: ecdsaSigner(2).publicKey };
  expect(() => verifyRequest(claim(signer, foreign))).toThrow(AuthenticationError);
});

test.each(signers)('%s: a signer is named before anybody knows who may sign', (_name, signer) => {
  const { scheme, authorized: _, ...request } = claim(signer);
  const found = signerOfRequest(request);
  expect(found.scheme).toBe(scheme);
  expect(found.names).toContain(signer.commitment);
  expect(found.names).toHaveLength(scheme === 'falcon' ? 1 : 2);
  // what the client calls its key changes nothing
  expect(signerOfRequest({ ...request, publicKey: STRANGER })).toEqual(found);
  for (const signature of [
    '',
    '0x',
    'zz',
    'ab',
    `0x${'00'.repeat(65)}`,
    `0x${'ff'.repeat(1524)}`,
  ]) {
    expect(() => signerOfRequest({ ...request, signature })).toThrow(AuthenticationError);
  }
});

test.each(signers)('%s: what was signed is part of the name', (_name, signer) => {
  const { scheme, authorized: _, ...request } = claim(signer);
  const changed = { ...request, payload: `${PAYLOAD} ` };
  if (scheme === 'falcon') expect(() => signerOfRequest(changed)).toThrow(AuthenticationError);
  // some key is recovered from any signature: not this one
  else expect(signerOfRequest(changed).names).not.toContain(signer.commitment);
});

test('ecdsa: a wrong recovery id adds the key in the header, if it signed', () => {
  const signer = ecdsaSigner(1);
  const signature = signer.sign(requestMessage(ACCOUNT, AT, PAYLOAD));
  const turned = `${signature.slice(0, -2)}0${signature.endsWith('1') ? '0' : '1'}`;
  const request = { ...claim(signer), signature: turned };
  expect(signerOfRequest(request).names).toContain(signer.commitment);
  const { publicKey, commitment } = ecdsaSigner(2);
  expect(signerOfRequest({ ...request, publicKey }).names).not.toContain(commitment);
});

test('falcon: a stranger is turned away before anything is hashed', () => {
  const [stranger, message] = [falconSigner(1), requestMessage(ACCOUNT, AT, PAYLOAD)];
  const signature = hexToBytes(stranger.sign(message).slice(2));
  const claimOf = (bytes: Uint8Array): SignatureClaim => ({
    scheme: 'falcon',
    signature: bytes,
    authorized: [STRANGER],
    message: vi.fn(() => message),
  });
  for (const bytes of [signature, signature.subarray(1)]) {
    const attempt = claimOf(bytes);
    expect(() => verifySignedMessage(attempt)).toThrow(AuthenticationError);
    expect(attempt.message).not.toHaveBeenCalled();
  }
});

test.each(['native', 'packed'] as const)(
  'ecdsa, %s: a long body is hashed for who names a key that may sign',
  (form) => {
    const signer = ecdsaSigner(1, form);
    const payload = JSON.stringify('x'.repeat(authenticationLimits.hashedForAnybody));
    const signature = signer.sign(requestMessage(ACCOUNT, AT, payload));
    const long = claim(signer, { payload, signature });
    for (const publicKey of [signer.publicKey, signer.commitment]) {
      expect(verifyRequest({ ...long, publicKey })).toBe(signer.commitment);
    }
    const message = vi.fn(() => requestMessage(ACCOUNT, AT, payload));
    const parts = { scheme: 'ecdsa', authorized: long.authorized, message } as const;
    for (const publicKey of ['0x', ecdsaSigner(2).publicKey, ecdsaSigner(2).commitment]) {
      expect(() => verifyRequest({ ...long, publicKey })).toThrow(AuthenticationError);
      const bytes = {
        signature: hexToBytes(signature.slice(2)),
        publicKey: hexToBytes(publicKey.slice(2)),
      };
      const attempt = { ...parts, ...bytes, isNameRequired: true };
      expect(() => verifySignedMessage(attempt)).toThrow(AuthenticationError);
    }
    expect(message).not.toHaveBeenCalled();
    // a short one is hashed for anybody: the signature names its key
    expect(verifyRequest(claim(signer, { publicKey: '0x' }))).toBe(signer.commitment);
  },
);

test('a lookup signature proves the key it looks up, in both schemes', () => {
  for (const signer of [falconSigner(1), ecdsaSigner(1), ecdsaSigner(1, 'packed')]) {
    const message = () => lookupMessage(AT, signer.commitment);
    const signature = hexToBytes(signer.sign(message()).slice(2));
    const authorized = [signer.commitment];
    const { scheme } = signer;
    expect(verifySignedMessage({ scheme, message, signature, authorized })).toBe(signer.commitment);
    const other = () => lookupMessage(AT + 1n, signer.commitment);
    expect(() => verifySignedMessage({ scheme, message: other, signature, authorized })).toThrow(
      AuthenticationError,
    );
  }
});
