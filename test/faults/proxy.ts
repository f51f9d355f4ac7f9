/** A TCP proxy that can let connections fall silent without closing them. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface LabProxy {
  port: number;
  /** From now on nothing passes on the connections there are; neither side is told. */
  silence(): void;
  /** Resets every connection there is. */
  reset(): void;
  close(): Promise<void>;
}

interface Link {
  near: Socket;
  far: Socket;
  silent: boolean;
}

export async function startProxy(targetPort: number): Promise<LabProxy> {
  const links = new Set<Link>();
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    const link: Link = { near, far, silent: false };
    links.add(link);
    const pass = (from: Socket, to: Socket) => {
      from.on('data', (bytes) => {
        if (!link.silent) to.write(bytes);
      });
      from.on('error', () => {});
      from.on('close', () => {
        // on a silent link neither side learns that the other one is gone
        if (!link.silent) to.destroy();
        if (near.destroyed && far.destroyed) links.delete(link);
      });
    };
    pass(near, far);
    pass(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  const reset = () => {
    for (const { near, far } of links) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  };
  return {
    port: address.port,
    silence() {
      for (const link of links) link.silent = true;
    },
    reset,
    async close() {
      const closed = once(server, 'close');
      server.close();
      reset();
      await closed;
    },
  };
}
