/**
 * What a wallet does on its side of the protocol: it holds a key, builds transaction summaries,
 * and signs requests for the published Guardian client. Used by the demo and by tests.
 */
import type { RequestAuthPayload, Signer } from '@openzeppelin/guardian-client';
import { bytesToHex } from '@noble/hashes/utils.js';
import { lookupMessage } from '../guardian/authentication/lookup-message.ts';
import { requestMessage } from '../guardian/authentication/request-message.ts';
import {
  ecdsaCommitments,
  ecdsaPublicKey,
  generateEcdsaKey,
  signEcdsa,
} from '../guardian/networks/miden/ecdsa.ts';
import { encodePublicKey } from '../guardian/networks/miden/falcon/codec.ts';
import {
  decodeSecretKey,
  generateSecretKey,
} from '../guardian/networks/miden/falcon/secret-key.ts';
import { sign as signFalcon } from '../guardian/networks/miden/falcon/sign.ts';
import { publicKeyCommitment } from '../guardian/networks/miden/falcon/verify.ts';
import { type Word, wordFromHex, wordToHex } from '../guardian/networks/miden/word.ts';
import type { SignatureScheme } from '../guardian/networks/network.ts';

interface Key {
  publicKey: Uint8Array;
  commitment: string;
  sign(message: Word): Uint8Array;
}

function falconKey(secret: Uint8Array): Key {
  const key = decodeSecretKey(secret);
  return {
    publicKey: encodePublicKey(key.publicKey),
    commitment: wordToHex(publicKeyCommitment(key.publicKey)),
    sign: (message) => signFalcon(key, message),
  };
}

function ecdsaKey(secret: Uint8Array): Key {
  const publicKey = ecdsaPublicKey(secret);
  const commitments = ecdsaCommitments(publicKey);
  if (!commitments) throw new Error('not a secp256k1 key');
  return {
    publicKey,
    commitment: wordToHex(commitments.native),
    sign: (message) => signEcdsa(secret, message),
  };
}

/**
 * A signer as the published client takes it.
 * @param secret 1281 bytes for Falcon, 32 for ECDSA; a fresh key without it.
 */
export function createSigner(
  scheme: SignatureScheme,
  secret: Uint8Array = scheme === 'falcon' ? generateSecretKey() : generateEcdsaKey(),
): Signer {
  const key = scheme === 'falcon' ? falconKey(secret) : ecdsaKey(secret);
  const signed = (message: Word) => `0x${bytesToHex(key.sign(message))}`;
  return {
    scheme,
    commitment: key.commitment,
    publicKey: `0x${bytesToHex(key.publicKey)}`,
    signRequest: (accountId: string, timestamp: number, payload: RequestAuthPayload) =>
      signed(requestMessage(accountId, BigInt(timestamp), payload.toCanonicalJson())),
    signAccountIdWithTimestamp: () => {
      throw new Error('the protocol signs whole requests');
    },
    signCommitment: (commitment: string) => signed(wordFromHex(commitment)),
    signLookupMessage: (commitment: string, timestamp: number) =>
      signed(lookupMessage(BigInt(timestamp), commitment)),
  };
}
