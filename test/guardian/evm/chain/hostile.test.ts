/** Nodes and contracts that lie, stall or lead elsewhere. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { once } from 'node:events';
import process from 'node:process';
import { encodeAbiParameters, toFunctionSelector } from 'viem/utils';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EvmChainError } from '../../../../src/guardian/evm/chain/chain.ts';
import { ContractReader } from '../../../../src/guardian/evm/chain/contracts.ts';
import { EvmNode } from '../../../../src/guardian/evm/chain/node.ts';
import { evmLimits } from '../../../../src/limits.ts';
import type { Hex } from '../../../../src/guardian/evm/values.ts';

const account: Hex = `0x${'a1'.repeat(20)}`;
const validator: Hex = `0x${'b2'.repeat(20)}`;
const entryPoint: Hex = `0x${'c3'.repeat(20)}`;

/** First four bytes of the data of a call. */
const selectors = {
  isModuleInstalled: toFunctionSelector('function isModuleInstalled(uint256, address, bytes)'),
  getSignerCount: toFunctionSelector('function getSignerCount(address)'),
  getSigners: toFunctionSelector('function getSigners(address, uint64, uint64)'),
};

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  return `http://127.0.0.1:${address.port}/with-key`;
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

type Answer = (call: { method: string; data: string }) => unknown;

/** A node whose other answers the test decides; a string is the result. */
function node(answer: Answer, chainId = '0x1'): Promise<string> {
  return serve((request, response) => {
    void readBody(request).then((text) => {
      const { method, params } = JSON.parse(text) as { method: string; params: { data: string }[] };
      const said =
        method === 'eth_chainId' ? chainId : answer({ method, data: params[0]?.data ?? '' });
      const body = typeof said === 'string' ? { result: said } : said;
      response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, ...(body as object) }));
    });
  });
}

const reader = (urls: string[], timeoutMs?: number) =>
  new ContractReader(
    urls.map((url) => new EvmNode(url, 1, timeoutMs)),
    entryPoint,
  );

async function failure(promise: Promise<unknown>): Promise<EvmChainError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof EvmChainError)) throw new Error(`not an EvmChainError: ${String(error)}`);
  expect(error.message).not.toMatch(/http|127|with-key/);
  return error;
}

const word = (value: bigint) => encodeAbiParameters([{ type: 'uint256' }], [value]);
const list = (signers: Hex[]) => encodeAbiParameters([{ type: 'bytes[]' }], [signers]);

describe('a node', () => {
  it('that leads elsewhere is not followed', async () => {
    let followed = false;
    const url = await serve((request, response) => {
      followed ||= request.url === '/inside';
      response.writeHead(307, { location: '/inside' }).end();
    });
    expect((await failure(reader([url]).nextNonce(account, 0n))).kind).toBe('unavailable');
    expect(followed).toBe(false);
  });

  it('that answers without end is cut off', async () => {
    let sent = 0;
    const url = await serve((_request, response) => {
      response.on('error', () => {});
      const push = () => {
        while (!response.destroyed && sent < 64 * evmLimits.rpcResponseBytes) {
          sent += 16_384;
          if (!response.write(' '.repeat(16_384))) return void response.once('drain', push);
        }
      };
      push();
    });
    expect((await failure(reader([url]).nextNonce(account, 0n))).kind).toBe('unavailable');
    expect(sent).toBeLessThan(64 * evmLimits.rpcResponseBytes);
  });

  it('that does not answer is left after the deadline', async () => {
    const url = await serve(() => {});
    expect((await failure(reader([url], 50).nextNonce(account, 0n))).kind).toBe('unavailable');
  });

  it('of another chain counts as silent, and the next one is asked', async () => {
    const wrong = await node(() => ({ result: word(9n) }), '0x2');
    const right = await node(() => word(7n));
    expect((await failure(reader([wrong]).nextNonce(account, 0n))).kind).toBe('unavailable');
    expect(await reader([wrong, right]).nextNonce(account, 0n)).toBe(7n);
  });

  it.each([
    ['no JSON-RPC', { result: undefined }],
    ['a result of another type', { result: { a: 1 } }],
    ['text that is no hex', { result: 'hello' }],
    ['an error of its own', { error: { code: -32_005, message: 'limit exceeded' } }],
  ])('that answers %s counts as silent, and the next one is asked', async (_name, answer) => {
    const urls = [await node(() => answer), await node(() => word(7n))];
    expect(await reader(urls).nextNonce(account, 0n)).toBe(7n);
    expect((await failure(reader(urls.slice(0, 1)).nextNonce(account, 0n))).kind).toBe(
      'unavailable',
    );
  });

  it('whose contract reverts is believed', async () => {
    const reverts = await node(() => ({ error: { code: 3, message: 'execution reverted' } }));
    const urls = [reverts, await node(() => word(7n))];
    expect((await failure(reader(urls).nextNonce(account, 0n))).kind).toBe('invalid');
  });
});

describe('a contract', () => {
  const a: Hex = `0x${'11'.repeat(20)}`;
  const b: Hex = `0x${'22'.repeat(20)}`;
  const validatorOf = (answers: { count: bigint; threshold: bigint; signers: Hex }) =>
    node(({ data }) => {
      if (data.startsWith(selectors.isModuleInstalled)) return word(1n);
      if (data.startsWith(selectors.getSigners)) return answers.signers;
      return word(data.startsWith(selectors.getSignerCount) ? answers.count : answers.threshold);
    });
  const good = { count: 2n, threshold: 1n, signers: list([a, b]) };

  it('is read when it makes sense', async () => {
    const multisig = await reader([await validatorOf(good)]).readMultisig(account, validator);
    expect(multisig).toEqual({ signers: [a, b], threshold: 1 });
  });

  it('may have as many signers as there may be', async () => {
    const signers = Array.from(
      { length: evmLimits.signers },
      (_, n): Hex => `0x${n.toString(16).padStart(40, '0')}`,
    );
    const count = BigInt(evmLimits.signers);
    const url = await validatorOf({ count, threshold: count, signers: list(signers) });
    const multisig = await reader([url]).readMultisig(account, validator);
    expect(multisig).toEqual({ signers, threshold: evmLimits.signers });
  });

  /** Offsets from behind the count, the count said to be their number, and the same few bytes. */
  const aliased = (count: number, element: Hex): Hex => {
    const offsets = word(BigInt(32 * count))
      .slice(2)
      .repeat(count);
    return `${word(32n)}${word(BigInt(count)).slice(2)}${offsets}${element.slice(2)}`;
  };

  it('whose signers are all one and the same long text takes no memory for each', async () => {
    const long: Hex = `${word(64_000n)}${'ab'.repeat(64_000)}`;
    const url = await validatorOf({ count: 1_000n, threshold: 1n, signers: aliased(1_000, long) });
    const before = process.memoryUsage();
    const started = performance.now();
    expect((await failure(reader([url]).readMultisig(account, validator))).kind).toBe('invalid');
    const after = process.memoryUsage();
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(
      2 ** 25,
    );
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it.each([
    ['an answer too long', `${word(2n)}00`],
    ['an answer too short', word(2n).slice(0, -2)],
    ['an odd number of digits', word(2n).slice(0, -1)],
  ])('with %s for a count is refused', async (_name, said) => {
    const url = await node(({ data }) =>
      data.startsWith(selectors.isModuleInstalled) ? word(1n) : said,
    );
    expect((await failure(reader([url]).readMultisig(account, validator))).kind).toBe('invalid');
  });

  it('that answers 2 for whether a module is installed is refused', async () => {
    const read = reader([await node(() => word(2n))]).readMultisig(account, validator);
    expect((await failure(read)).kind).toBe('invalid');
  });

  it.each([
    ['no signers', { count: 0n, signers: list([]) }],
    ['too many signers', { count: BigInt(evmLimits.signers) + 1n }],
    ['more than a number holds', { count: 2n ** 255n }],
    ['a threshold of nothing', { threshold: 0n }],
    ['a threshold above its signers', { threshold: 3n }],
    ['fewer signers than it counts', { signers: list([a]) }],
    ['more signers than it counts', { signers: list([a, b, account]) }],
    ['a signer twice', { signers: list([a, a]) }],
    ['a signer that is no address', { signers: list([a, '0x1234']) }],
    ['a signer of 21 bytes', { signers: list([a, `${b}ff`]) }],
    ['padding that is not zero', { signers: `${list([a, b]).slice(0, -2)}01` as Hex }],
    [
      'two signers at one place',
      { signers: aliased(2, `${word(20n)}${a.slice(2)}${'0'.repeat(24 + 128)}`) },
    ],
    ['something behind the list', { signers: `${list([a, b])}${'0'.repeat(64)}` as Hex }],
    ['an empty answer', { signers: '0x' as Hex }],
    ['a cut answer', { signers: list([a, b]).slice(0, -64) as Hex }],
    ['a list that points outside', { signers: `0x${'ff'.repeat(64)}` as Hex }],
    [
      'a list that points at itself',
      // 1024 elements, all at the same place, which claims to be as long as the answer
      {
        count: 1_024n,
        signers:
          `0x${word(32n).slice(2)}${word(1_024n).slice(2)}${word(0n).slice(2).repeat(1_024)}` as Hex,
      },
    ],
  ])('with %s is refused', async (_name, change) => {
    const url = await validatorOf({ ...good, ...change });
    expect((await failure(reader([url]).readMultisig(account, validator))).kind).toBe('invalid');
  });

  it('that is not there is refused', async () => {
    const read = reader([await node(() => '0x')]).readMultisig(account, validator);
    expect((await failure(read)).kind).toBe('invalid');
  });

  it('that answers for another nonce key is refused', async () => {
    const url = await node(() => word((5n << 64n) + 1n));
    expect(await reader([url]).nextNonce(account, 5n)).toBe((5n << 64n) + 1n);
    expect((await failure(reader([url]).nextNonce(account, 6n))).kind).toBe('invalid');
  });
});
