import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/load.ts';

const urlsOf = (text: string) => loadConfig({ GUARDIAN_EVM_RPC_URLS: text }).GUARDIAN_EVM_RPC_URLS;

describe('GUARDIAN_EVM_RPC_URLS', () => {
  it('is off when unset or blank', () => {
    expect(loadConfig({}).GUARDIAN_EVM_RPC_URLS).toBeUndefined();
    expect(urlsOf('  ')).toBeUndefined();
  });

  it('lists chains, and more than one node of a chain in their order', () => {
    expect(
      urlsOf('1=https://a.example/key?x=y, 8453=http://b.example ,1=https://c.example'),
    ).toEqual(
      new Map([
        [1, ['https://a.example/key?x=y', 'https://c.example']],
        [8453, ['http://b.example']],
      ]),
    );
  });

  it.each([
    'https://sec-ret.example',
    '0=https://sec-ret.example',
    '1e3=https://sec-ret.example',
    '9999999999999999=https://sec-ret.example',
    '1=file:///sec-ret',
    '1=ws://sec-ret.example',
    '1=sec-ret',
    '1=https://user:sec-ret@node.example',
    '1=https://sec-ret.example,',
    '1=https://sec-ret.example, 2',
  ])('refuses %s and does not repeat it', (text) => {
    expect(() => urlsOf(text)).toThrow(ConfigError);
    expect(() => urlsOf(text)).toThrow(/GUARDIAN_EVM_RPC_URLS: [^(]*$/);
    expect(() => urlsOf(text)).not.toThrow(/sec-ret/);
  });

  it('has one EntryPoint for all chains', () => {
    const load = (text: string) =>
      loadConfig({ GUARDIAN_EVM_ENTRYPOINT_ADDRESS: text }).GUARDIAN_EVM_ENTRYPOINT_ADDRESS;
    expect(load('')).toBe('0x433709009b8330fda32311df1c2afa402ed8d009');
    expect(load(`0x${'Ab'.repeat(20)}`)).toBe(`0x${'ab'.repeat(20)}`);
    expect(() => load('0x12')).toThrow(ConfigError);
  });
});
