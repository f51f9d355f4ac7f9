import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AllowlistError, openAllowlist } from '../../../src/guardian/operators/allowlist.ts';
import { createLog } from '../../../src/observability/log.ts';
import { createOperatorKey, writeAllowlist } from '../../operators/operator.ts';

const { publicKey: key, commitment } = createOperatorKey();
const other = createOperatorKey('ecdsa');
const parse = async (value: unknown) => {
  const file = writeAllowlist(value);
  try {
    const list = await openAllowlist(file.path, createLog('silent'));
    return [await list.find(commitment), await list.find(other.commitment)];
  } finally {
    file.remove();
  }
};

describe('the list of operators', () => {
  it('takes keys, with or without permissions', async () => {
    const operators = await parse([
      key.toUpperCase().replace('0X', ''),
      { public_key: other.publicKey, permissions: ['policies:write', 'accounts:pause'] },
    ]);
    expect(operators).toEqual([
      { commitment, scheme: 'falcon', permissions: ['dashboard:read'] },
      {
        commitment: other.commitment,
        scheme: 'ecdsa',
        permissions: ['accounts:pause', 'policies:write'],
      },
    ]);
    expect(await parse([])).toEqual([undefined, undefined]);
  });

  it.each([
    ['another shape', {}],
    ['a number', [7]],
    ['an unknown member', [{ public_key: key, permissions: [], note: 'x' }]],
    ['no permissions', [{ public_key: key }]],
    ['an unknown permission', [{ public_key: key, permissions: ['accounts:delete'] }]],
    ['another case', [{ public_key: key, permissions: ['Accounts:Pause'] }]],
    ['white space', [{ public_key: key, permissions: [' accounts:pause'] }]],
    ['white space in a key', [` ${key}`]],
    ['a key twice', [key, { public_key: key.slice(2), permissions: [] }]],
    ['half a byte', [key.slice(0, -1)]],
    ['a key cut short', [key.slice(0, -2)]],
    ['a key that is none', [`0x${'ff'.repeat(897)}`]],
    ['a point off the curve', [`0x02${'ff'.repeat(32)}`]],
  ])('refuses %s', async (_name, value) => {
    const error: unknown = await parse(value).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AllowlistError);
    expect(String(error)).not.toContain(key.slice(4, 20));
  });

  it('is looked at once, also when it cannot be used', async () => {
    const file = writeAllowlist([key]);
    onTestFinished(() => file.remove());
    const list = await openAllowlist(file.path, createLog('silent'));
    const broken = JSON.stringify([key, other.publicKey, key]);
    file.write(broken);
    const parsing = vi.spyOn(JSON, 'parse');
    onTestFinished(() => parsing.mockRestore());
    for (let n = 0; n < 3; n += 1) {
      await expect(list.find(commitment)).rejects.toMatchObject({ code: 'configuration_error' });
    }
    expect(parsing.mock.calls.filter(([text]) => text === broken)).toHaveLength(1);
    file.write([other.publicKey]);
    expect(await list.find(commitment)).toBeUndefined();
    expect(await list.find(other.commitment)).toMatchObject({ scheme: 'ecdsa' });
    file.write(broken);
    await expect(list.find(commitment)).rejects.toMatchObject({ code: 'configuration_error' });
  });

  it.each(['/dev/zero', '/'])(
    'refuses the device or folder %s, which may have no end',
    async (path) => {
      await expect(openAllowlist(path, createLog('silent'))).rejects.toThrow('it is not a file');
    },
  );
});
