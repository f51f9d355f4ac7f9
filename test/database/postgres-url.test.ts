import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeTarget, parsePostgresUrl } from '../../src/database/postgres-url.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-url-'));
const ca = path.join(folder, 'ca.pem');
fs.writeFileSync(ca, 'the issuer');
afterAll(() => fs.rmSync(folder, { recursive: true }));

const url = (query: string) => `postgres://api:pa%24s@db.example:6432/canonry${query}`;

describe('the address', () => {
  it('is taken apart, with %-encoded parts', () => {
    expect(parsePostgresUrl(url(''))).toEqual({
      host: 'db.example',
      port: 6432,
      database: 'canonry',
      user: 'api',
      password: 'pa$s',
      ssl: false,
      sslMode: 'disable',
    });
  });

  it('has the defaults of libpq', () => {
    const target = parsePostgresUrl('postgresql://me@[::1]');
    expect(target).toMatchObject({ host: '::1', port: 5432, database: 'me', user: 'me' });
    expect(target.password).toBeUndefined();
  });

  it('is described without user and password', () => {
    expect(describeTarget(parsePostgresUrl(url('')))).toBe(
      'postgres db.example:6432/canonry (sslmode disable)',
    );
  });
});

describe('sslmode', () => {
  it('disable is plain text', () => {
    expect(parsePostgresUrl(url('?sslmode=disable')).ssl).toBe(false);
  });

  it.each([
    ['?sslmode=require', { rejectUnauthorized: false }],
    [`?sslmode=require&sslrootcert=${ca}`, { rejectUnauthorized: true, ca: 'the issuer' }],
    [`?sslmode=verify-ca&sslrootcert=${ca}`, { rejectUnauthorized: true, ca: 'the issuer' }],
    [`?sslmode=verify-full&sslrootcert=${ca}`, { rejectUnauthorized: true, ca: 'the issuer' }],
    ['?sslmode=verify-full&sslrootcert=system', { rejectUnauthorized: true }],
  ])('%s', (query, expected) => {
    expect(parsePostgresUrl(url(query)).ssl).toMatchObject(expected);
  });

  it('verify-full compares the name in the certificate, verify-ca does not', () => {
    const certificate = { subject: { CN: 'other.example' }, subjectaltname: 'DNS:other.example' };
    const verdict = (mode: string) => {
      const { ssl } = parsePostgresUrl(url(`?sslmode=${mode}&sslrootcert=${ca}`));
      if (ssl === false) throw new Error('TLS expected');
      return ssl.checkServerIdentity?.('ignored', certificate as never);
    };
    expect(verdict('verify-ca')).toBeUndefined();
    expect(verdict('verify-full')).toBeInstanceOf(Error);
  });
});

describe('what is refused', () => {
  it.each([
    [url('?sslmode=allow'), 'plain text'],
    [url('?sslmode=prefer'), 'plain text'],
    [url('?sslmode=on'), 'sslmode must be one of'],
    [url('?sslmode=verify-ca'), 'needs sslrootcert'],
    [url('?sslmode=verify-full'), 'needs sslrootcert'],
    [url('?sslmode=verify-ca&sslrootcert=system'), 'needs sslmode=verify-full'],
    [url(`?sslrootcert=${ca}`), 'sslmode is disable'],
    [url('?sslmode=verify-ca&sslrootcert=/nowhere.pem'), 'Cannot read /nowhere.pem'],
    [url('?channel_binding=require'), '"channel_binding", which is not supported'],
    ['mysql://api:pa%24s@db.example/x', 'must begin with postgres://'],
    ['postgres://api:pa%24s@db.example:port/x', 'cannot be parsed'],
    ['postgres://api:pa$s%@db.example/x', '%-encoding'],
  ])('%s', (text, message) => {
    expect(() => parsePostgresUrl(text)).toThrow(message);
    expect(() => parsePostgresUrl(text)).not.toThrow(/pa%24s|pa\$s/);
  });
});
