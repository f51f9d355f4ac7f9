/** One envelope: what opens it, and that nothing else does. */
import { Buffer } from 'node:buffer';
import { createDecipheriv, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { open, seal, SealedDataError } from '../../../src/guardian/storage/envelope.ts';

const keyA = randomBytes(32);
const keyB = randomBytes(32);
const keys = { active: 'k1', keys: new Map([['k1', keyA]]) };
const content = new TextEncoder().encode('what an account holds');
const sealed = () => seal(keys, 'state:0x1', content);
const opened = (envelope: object, context = 'state:0x1', having = keys) =>
  open(having, context, JSON.stringify(envelope));

describe('an envelope', () => {
  it('has the members of the protocol, and another nonce each time', () => {
    const [first, second] = [sealed(), sealed()];
    expect(first).toEqual({
      v: 1,
      alg: 'AES-256-GCM',
      kid: 'k1',
      nonce: expect.stringMatching(/^[A-Za-z0-9+/]{16}$/) as string,
      ct: expect.stringMatching(/^[A-Za-z0-9+/]+={0,2}$/) as string,
    });
    expect(first.nonce).not.toBe(second.nonce);
    expect(Buffer.from(first.ct, 'base64')).toHaveLength(content.length + 16);
  });

  it('is AES-256-GCM with the context as associated data, the tag at the end', () => {
    const { nonce, ct } = sealed();
    const bytes = Buffer.from(ct, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', keyA, Buffer.from(nonce, 'base64'))
      .setAAD(Buffer.from('state:0x1'))
      .setAuthTag(bytes.subarray(-16));
    const plain = Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]);
    expect(plain).toEqual(Buffer.from(content));
  });

  it.each([0, 1, 15, 16, 100_000])('gives back %i bytes', (length) => {
    const bytes = randomBytes(length);
    const envelope = seal(keys, 'x', bytes);
    expect(Buffer.from(opened(envelope, 'x'))).toEqual(bytes);
  });

  it('opens with any configured key, and seals with the active one', () => {
    const rotated = {
      active: 'k2',
      keys: new Map([
        ['k1', keyA],
        ['k2', keyB],
      ]),
    };
    expect(Buffer.from(opened(sealed(), 'state:0x1', rotated))).toEqual(Buffer.from(content));
    expect(seal(rotated, 'x', content).kid).toBe('k2');
  });

  it('opens nowhere else, under no other key, and not when a bit has changed', () => {
    const envelope = sealed();
    const flipped = (text: string) => {
      const bytes = Buffer.from(text, 'base64');
      bytes[3]! ^= 1;
      return bytes.toString('base64');
    };
    const foreign = { active: 'k1', keys: new Map([['k1', keyB]]) };
    expect(() => opened(envelope, 'state:0x2')).toThrow(SealedDataError);
    expect(() => opened(envelope, 'delta:0x1')).toThrow(SealedDataError);
    expect(() => opened(envelope, 'state:0x1', foreign)).toThrow(SealedDataError);
    expect(() => opened({ ...envelope, ct: flipped(envelope.ct) })).toThrow(SealedDataError);
    expect(() => opened({ ...envelope, nonce: flipped(envelope.nonce) })).toThrow(SealedDataError);
    expect(() => opened({ ...envelope, ct: envelope.ct.slice(0, -4) })).toThrow(SealedDataError);
    expect(() => opened({ ...envelope, kid: 'k9' })).toThrow(/the key k9 is not configured/);
  });

  it.each([
    ['no JSON', '\u0001\u0002'],
    ['null', 'null'],
    ['another version', JSON.stringify({ ...sealed(), v: 2 })],
    ['another algorithm', JSON.stringify({ ...sealed(), alg: 'none' })],
    ['a nonce cut short', JSON.stringify({ ...sealed(), nonce: 'AAAA' })],
    ['no ciphertext', JSON.stringify({ ...sealed(), ct: '' })],
    ['a key id that is a text for a log', JSON.stringify({ ...sealed(), kid: 'k\nERROR' })],
  ])('is not %s', (_, stored) => {
    expect(() => open(keys, 'state:0x1', stored)).toThrow(/^it is not an envelope$/);
  });
});
