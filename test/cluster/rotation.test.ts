import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startRotation } from './rotation.ts';

async function serve(listener: RequestListener): Promise<{ url: string; close(): void }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${address.port}`, close };
}

async function rotate(...listeners: RequestListener[]) {
  const servers = await Promise.all(listeners.map(serve));
  const rotation = await startRotation();
  onTestFinished(() => rotation.close());
  servers.forEach(({ url }, at) => rotation.add({ name: `${at}`, url }));
  const post = (body: BodyInit) => fetch(rotation.url, { method: 'POST', body });
  return { servers, rotation, post };
}

const echo: RequestListener = (incoming, outgoing) => void incoming.pipe(outgoing);

describe('the proxy of a fleet', () => {
  it('moves a request on with its body when a replica takes no connection', async () => {
    const { servers, post } = await rotate(echo, echo);
    servers[0]!.close();
    const body = 'x'.repeat(1_000_000);
    for (let n = 0; n < 3; n++) {
      const answer = await post(body);
      expect(answer.headers.get('x-answered-by')).toBe('1');
      expect(await answer.text()).toBe(body);
    }
  });

  it('does not repeat what a replica may have begun', async () => {
    let asked = 0;
    const { post } = await rotate(
      (incoming) => {
        asked += 1;
        incoming.socket.destroy();
      },
      (incoming) => {
        asked += 1;
        incoming.socket.destroy();
      },
    );
    expect((await post('once')).status).toBe(502);
    expect(asked).toBe(1);
  });

  it('passes an answer on while it is being written, and its end', async () => {
    let goOn = () => {};
    const { post } = await rotate((_, outgoing) => {
      outgoing.write('first');
      goOn = () => void outgoing.destroy();
    });
    const { body } = await post('');
    const reader = body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('first');
    goOn();
    await expect(reader.read()).rejects.toThrow();
  });

  it('gives a removed replica nothing more', async () => {
    const { rotation, post } = await rotate(echo, echo);
    rotation.remove('0');
    for (let n = 0; n < 3; n++) expect((await post('')).headers.get('x-answered-by')).toBe('1');
    rotation.remove('1');
    expect((await post('')).status).toBe(502);
  });
});
