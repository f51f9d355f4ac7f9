/** A kept connection that the node closes at the moment it is used again is no failure. */
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { startDevChain } from '../../../../../src/dev-chain/start.ts';
import { MidenNode } from '../../../../../src/guardian/networks/miden/rpc/node.ts';
import { ChainError } from '../../../../../src/guardian/networks/network.ts';

const account = `0x${'01'.repeat(15)}`;

/** Passes connections on to the chain, or closes them at the first byte. */
async function startGate(target: { port: number }, closes: () => boolean) {
  const { connect } = await import('node:net');
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {});
    socket.once('data', (first) => {
      if (closes()) {
        socket.destroy();
        return;
      }
      const onward = connect(target.port, '127.0.0.1');
      onward.on('error', () => socket.destroy());
      onward.write(first);
      socket.pipe(onward).pipe(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  return `http://127.0.0.1:${address.port}`;
}

it('asks once more on a fresh connection, and not for ever', async () => {
  const chain = await startDevChain({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => chain.close());
  await chain.land(account, `0x${'02'.repeat(32)}`);
  let broken = 1;
  const endpoint = await startGate(chain, () => broken-- > 0);
  const node = new MidenNode({ endpoint, timeoutMs: 5_000, maxAttempts: 1 });
  expect(await node.accountCommitment(account)).toBe(`0x${'02'.repeat(32)}`);

  broken = 1_000;
  const down = new MidenNode({
    endpoint: await startGate(chain, () => true),
    timeoutMs: 5_000,
    maxAttempts: 1,
  });
  await expect(down.accountCommitment(account)).rejects.toThrow(ChainError);
});
