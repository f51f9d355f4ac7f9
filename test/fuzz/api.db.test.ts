/**
 * Every endpoint under requests that are wrong in ways nobody thought of, many of them signed by
 * somebody who may. `FUZZ_SEED=… FUZZ_RUNS=… npm run vitest -- test/fuzz` varies them; a failure
 * prints the seed and the smallest request that shows it.
 */
import fc from 'fast-check';
import process from 'node:process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  canonicalJson,
  parseJson,
  type JsonValue,
} from '../../src/guardian/authentication/canonical-json.ts';
import { withoutAnvil } from '../evm/anvil.ts';
import { operationOf, operations } from '../http/contract/judge.ts';
import type { Prepared } from '../http/signed.ts';
import { faultOf } from './judge.ts';
import { boundaryCases } from './boundary-cases.ts';
import { anyCase, type AnyCase } from './plan.ts';
import { knownRequest, strangeRequest } from './request.ts';
import { openWorld, type World } from './world.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 10_000);

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

/** What happened, by operation: how often each status. */
const seen = new Map<string, Map<number, number>>();
const sent: Prepared[] = [];
let slowest = { ms: 0, what: '' };

function count(name: string, status: number): void {
  const statuses = seen.get(name) ?? new Map<number, number>();
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  seen.set(name, statuses);
}

async function answerTo(request: Prepared): Promise<{ response: Response; text: string }> {
  const before = process.cpuUsage();
  const response = await world.service.send(request.path, request.init);
  const text = await response.text();
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1_000;
  if (ms > slowest.ms)
    slowest = { ms, what: `${request.init.method} ${request.path.slice(0, 60)}` };
  return { response, text };
}

/** A delta that was accepted comes back as it was sent, digit by digit. */
function expectExact(request: Prepared, text: string): void {
  const { body } = request.init;
  const asked = typeof body === 'string' ? body : new TextDecoder().decode(body as Uint8Array);
  const sentBody = parseJson(asked) as { [key: string]: JsonValue };
  const answer = parseJson(text) as { [key: string]: JsonValue };
  for (const member of ['nonce', 'delta_payload']) {
    expect(canonicalJson(answer[member]!)).toBe(canonicalJson(sentBody[member]!));
  }
}

/** A look at all rows costs as much as a request: one for so many refusals. */
const refusalsPerLook = 8;

interface Stored {
  rows: string;
  /** What was refused since the last look. */
  refused: string[];
}

async function attack(plan: AnyCase, stored: Stored): Promise<void> {
  const request = plan.kind === 'known' ? knownRequest(plan, world, sent) : strangeRequest(plan);
  if (plan.kind === 'known' && sent.length < 500) sent.push(request);
  const { response, text } = await answerTo(request);
  const { method = 'GET', body } = request.init;
  const operation = operationOf(method, request.path) ?? 'another route';
  count(operation, response.status);
  const what = `${method} ${request.path} ${body instanceof Uint8Array ? body.join() : String(body)}`;
  expect(faultOf(request, response, text), what).toBeUndefined();
  const { rows, refused } = stored;
  const mayWrite = response.status < 400 && method !== 'GET';
  if (!mayWrite) refused.push(`${what}: ${text}`);
  if (!mayWrite && refused.length < refusalsPerLook) return;
  Object.assign(stored, { rows: await world.stored(), refused: [] });
  if (!mayWrite) expect(stored.rows, refused.join('\n')).toBe(rows);
  // a delta that is there already is answered as it was stored
  else if (operation === 'POST /delta' && stored.rows !== rows) expectExact(request, text);
}

it('answers the bare request of every endpoint by the contract', async () => {
  for (const name of operations.keys()) {
    const [method = '', pattern = ''] = name.split(' ');
    const request = { path: pattern.replaceAll(/\{\w+\}/g, '1'), init: { method, headers: {} } };
    const { response, text } = await answerTo(request as Prepared);
    count(name, response.status);
    expect(faultOf(request as Prepared, response, text), name).toBeUndefined();
  }
});

it(`answers ${numRuns} requests by the contract (seed ${seed})`, async () => {
  console.log(`fuzz: seed ${seed}, ${numRuns} requests`);
  const stored: Stored = { rows: await world.stored(), refused: [] };
  const started = performance.now();
  await fc.assert(
    fc.asyncProperty(anyCase, (plan) => attack(plan, stored)),
    // what came before matters as much as the request that fails: nothing to shrink
    { numRuns, seed, endOnFailure: true },
  );
  const table = [...seen].map(([name, statuses]) => `${name} ${JSON.stringify([...statuses])}`);
  console.log(
    `fuzz: ${Math.round(performance.now() - started)} ms, slowest ${slowest.ms} ms: ${slowest.what}\n${table.join('\n')}`,
  );
}, 180_000);

it('answers a boundary in every place by the contract', async () => {
  const stored: Stored = { rows: await world.stored(), refused: [] };
  for (const plan of boundaryCases(world)) await attack(plan, stored);
}, 60_000);

it('reaches every endpoint, and gets behind the authentication of each', () => {
  const statuses = (name: string) => [...(seen.get(name)?.keys() ?? [])];
  expect([...operations.keys()].filter((name) => statuses(name).length === 0)).toEqual([]);
  // 401 and the refusals of a body are easy: something else says that the request was looked at
  const shallow = [...operations.keys()].filter((name) =>
    statuses(name).every((status) => [400, 401, 413, 415].includes(status)),
  );
  // what is left needs a genuine login, and a chain; nobody here is an operator
  const clients = shallow.filter((name) => !/ \/(?:auth|dashboard)\//.test(name));
  expect(clients).toEqual([
    'POST /evm/auth/verify',
    ...(withoutAnvil ? ['POST /evm/proposals'] : []),
  ]);
});

it('costs no more than 100 ms of CPU for a request, all threads together', () => {
  expect(slowest.ms, slowest.what).toBeLessThan(100);
});
