/** A small HTTP interface to a running fleet: look at it, add replicas, take them away. */
import { Hono } from 'hono';
import { listen, type Listening } from '../../src/entry/listen.ts';
import type { ApiReplica, Fleet, WorkerReplica } from './fleet.ts';

export interface FleetDescription {
  url: string;
  apis: ApiReplica[];
  workers: WorkerReplica[];
  postgres: string;
  /** Where the replicas keep their keys. */
  folder: string;
  chain: string;
  /** Of this interface. */
  control: string;
}

/**
 * `GET /`; `POST /apis?runtime=node|deno`, `POST /workers`;
 * `DELETE /apis/{name}?mode=kill|drain`, the same for workers.
 */
export async function startControl(
  fleet: Fleet,
): Promise<Listening & { describe(): FleetDescription }> {
  const app = new Hono();
  const describe = (): FleetDescription => ({
    url: fleet.url,
    apis: fleet.apis(),
    workers: fleet.workers(),
    postgres: fleet.databaseUrl,
    folder: fleet.folder,
    chain: fleet.chain.url,
    control: listening.url,
  });
  app.get('/', (c) => c.json(describe()));
  app.post('/apis', async (c) => {
    const runtime = c.req.query('runtime') ?? 'node';
    if (runtime !== 'node' && runtime !== 'deno') {
      return c.json({ message: 'runtime is node or deno' }, 400);
    }
    return c.json(await fleet.addApi(runtime), 201);
  });
  app.post('/workers', async (c) => c.json(await fleet.addWorker(), 201));
  for (const kind of ['apis', 'workers'] as const) {
    app.delete(`/${kind}/:name`, async (c) => {
      const mode = c.req.query('mode') ?? 'drain';
      if (mode !== 'kill' && mode !== 'drain') {
        return c.json({ message: 'mode is kill or drain' }, 400);
      }
      const name = c.req.param('name');
      if (!fleet[kind]().some((replica) => replica.name === name)) {
        return c.json({ message: `there is no ${name} among the ${kind}` }, 404);
      }
      return c.json({ name, exit: await fleet.end(name, mode) });
    });
  }
  app.onError((error, c) => c.json({ message: error.message }, 500));
  const listening = await listen(app, '127.0.0.1', 0);
  return { ...listening, describe };
}
