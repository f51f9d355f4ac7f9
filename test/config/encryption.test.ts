/** Keys that cannot be used are refused by the name of their variable; no value is ever shown. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { storageKeys } from '../../src/entry/compose/storage.ts';

const key = randomBytes(32).toString('base64');
const other = randomBytes(32).toString('base64');
const short = randomBytes(31).toString('base64');
const keysOf = (env: Record<string, string>) =>
  storageKeys(
    loadConfig(
      Object.fromEntries(
        Object.entries(env).map(([name, value]) => [`GUARDIAN_STORAGE_ENCRYPTION_${name}`, value]),
      ),
    ),
  );

it('encrypts nothing where no key is set', () => {
  expect(keysOf({})).toBeUndefined();
  expect(keysOf({ KEY: '  ' })).toBeUndefined();
});

it('knows the active key and the old ones', () => {
  expect([...keysOf({ KEY: key })!.keys.keys()]).toEqual(['k1']);
  const rotated = keysOf({ KEY: other, KEY_ID: '2026-b', OLD_KEYS: `k1:${key}, k0:${other}` });
  expect(rotated?.active).toBe('2026-b');
  expect([...rotated!.keys.keys()].toSorted()).toEqual(['2026-b', 'k0', 'k1']);
});

it.each<[string, Record<string, string>, string]>([
  ['a short key', { KEY: short }, 'KEY'],
  ['a long key', { KEY: randomBytes(33).toString('base64') }, 'KEY'],
  ['hex', { KEY: randomBytes(32).toString('hex') }, 'KEY'],
  ['base64url', { KEY: Buffer.alloc(32, 0xfb).toString('base64url') }, 'KEY'],
  ['a key with something behind it', { KEY: `${key}!` }, 'KEY'],
  ['an id with a space', { KEY: key, KEY_ID: 'k 1' }, 'KEY_ID'],
  ['an id with a colon', { KEY: key, KEY_ID: 'k:1' }, 'KEY_ID'],
  ['an old key without id', { KEY: key, OLD_KEYS: other }, 'OLD_KEYS'],
  ['a short old key', { KEY: key, OLD_KEYS: `k0:${short}` }, 'OLD_KEYS'],
  ['an id twice', { KEY: key, OLD_KEYS: `k0:${other},k0:${key}` }, 'OLD_KEYS'],
  ['the active id among the old', { KEY: key, OLD_KEYS: `k1:${other}` }, 'OLD_KEYS'],
  ['old keys alone', { OLD_KEYS: `k1:${key}` }, 'OLD_KEYS'],
])('refuses %s', (_, env, variable) => {
  const message = (() => {
    try {
      keysOf(env);
      return 'accepted';
    } catch (error) {
      return (error as Error).message;
    }
  })();
  expect(message).toContain(`GUARDIAN_STORAGE_ENCRYPTION_${variable}`);
  for (const [name, value] of Object.entries(env)) {
    if (name !== 'KEY_ID') expect(message).not.toContain(value.slice(3, 20));
  }
});
