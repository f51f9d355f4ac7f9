/** Makes the request of a plan. */
import {
  canonicalJson,
  parseJson,
  type JsonValue,
} from '../../src/guardian/authentication/canonical-json.ts';
import { nextTimestamp, type Prepared } from '../http/signed.ts';
import { operations } from '../http/contract/judge.ts';
import { changedText, damagedBytes } from './body.ts';
import type { HeaderChange, KnownCase, StrangeCase } from './plan.ts';
import { midenTemplates, signLookup, type Actor, type Template } from './templates.ts';
import type { World } from './world.ts';

const paths = [...new Set([...operations.keys()].map((name) => name.split(' ')[1]!))];

export function strangeRequest(plan: StrangeCase): Prepared {
  const path =
    typeof plan.path === 'number'
      ? paths[plan.path % paths.length]!.replaceAll(/\{\w+\}/g, `0x${'1d'.repeat(32)}`)
      : plan.path;
  const query = plan.query.map(([name, value]) => `${escaped(name)}=${escaped(value)}`);
  if (plan.longQuery > 0) query.push(`x=${'y'.repeat(plan.longQuery)}`);
  const bodiless = ['GET', 'HEAD', 'OPTIONS'].includes(plan.method);
  const headers = changedHeaders({ 'content-type': 'application/json' }, plan.headers);
  return {
    path: `${path.startsWith('/') ? '' : '/'}${path}${query.length > 0 ? `?${query.join('&')}` : ''}`,
    init: {
      method: plan.method,
      headers,
      ...(bodiless || plan.body === undefined ? {} : { body: plan.body }),
    },
  };
}

/** Left as it is where it is already something like an escape. */
function escaped(text: string): string {
  return text.startsWith('%') ? text : encodeURIComponent(text.toWellFormed());
}

/** @param sent requests that were accepted or refused before. */
export function knownRequest(plan: KnownCase, world: World, sent: readonly Prepared[]): Prepared {
  if (plan.signing === 'replay' && sent.length > 0) return sent[plan.template % sent.length]!;
  const { actor, templates: all } = choices(plan, world);
  const template = all[plan.template % all.length]!;
  const { body, query } = bodyAndQuery(template, plan);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    ...(template.session ? { cookie: world.cookie } : {}),
    ...(world.evm.includes(template) ? {} : signature(actor, template, plan, body, query, world)),
  };
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]) => [name, textOf(value)]),
  );
  return {
    path: search.size > 0 ? `${template.path}?${search}` : template.path,
    init: {
      method: template.method,
      headers: changedHeaders(headers, plan.headers),
      ...(body === undefined ? {} : { body }),
    },
  };
}

/** Whose request it is, and those there are to choose from. */
export function choices({ holder, nonce }: Pick<KnownCase, 'holder' | 'nonce'>, world: World) {
  // Falcon signatures take long to make: one in ten
  const actor =
    holder === 0 ? world.actors.at(-1)! : world.actors[holder % (world.actors.length - 1)]!;
  return { actor, templates: [...midenTemplates(actor, nonce), ...world.evm] };
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value.toWellFormed() : String(value);
}

function bodyAndQuery(template: Template, plan: KnownCase) {
  const text = template.body && changedText(template.body, plan.changes);
  const body = text === undefined || !plan.damage ? text : damagedBytes(text, plan.damage);
  const query: Record<string, JsonValue> = { ...template.query };
  if (template.lookup) query['key_commitment'] = template.lookup;
  // a body's request takes no query, and has to live with one all the same
  if (plan.query) {
    const { name, value } = plan.query;
    const own = Object.keys(query);
    const key = typeof name === 'string' ? name : (own[name % own.length] ?? 'extra');
    // signed as a number, where it is one
    const isNumber = typeof query[key] === 'bigint' && /^\d+$/.test(value);
    query[key] = isNumber ? BigInt(value) : value;
  }
  return { body, query };
}

/** The three headers, over what is sent or what would have been right. */
function signature(
  actor: Actor,
  template: Template,
  plan: KnownCase,
  body: string | Uint8Array | undefined,
  query: Record<string, JsonValue>,
  { actors }: World,
): Record<string, string> {
  const timestamp = plan.timestamp === null ? nextTimestamp() : BigInt(plan.timestamp);
  const signer = plan.signing === 'foreign' ? actors[1]!.signer : actor.signer;
  const original = template.body ?? template.query ?? {};
  const payload = plan.signing === 'original' ? canonicalJson(original) : payloadOf(body, query);
  return {
    'x-pubkey': signer.publicKey,
    'x-timestamp': String(timestamp),
    'x-signature': template.lookup
      ? signLookup(actor, timestamp)
      : signer.sign(actor.holder.accountId, timestamp, payload),
  };
}

/** Canonical JSON of what is sent, the way the server sees it; nothing for what is no JSON. */
function payloadOf(
  body: string | Uint8Array | undefined,
  query: Record<string, JsonValue>,
): string {
  try {
    if (body === undefined) return canonicalJson(query);
    return canonicalJson(
      parseJson(typeof body === 'string' ? body : new TextDecoder().decode(body)),
    );
  } catch {
    return '';
  }
}

function changedHeaders(
  headers: Record<string, string>,
  changes: readonly HeaderChange[],
): Record<string, string> {
  const changed = { ...headers };
  for (const change of changes) {
    const value = changed[change.name] ?? '';
    if (change.kind === 'set') changed[change.name] = change.value;
    else if (change.kind === 'drop') changed[change.name] = '';
    else if (change.kind === 'double') changed[change.name] = value + value;
    else if (value !== '') {
      const at = change.at % value.length;
      changed[change.name] =
        value.slice(0, at) + (value[at] === '0' ? '1' : '0') + value.slice(at + 1);
    }
  }
  return Object.fromEntries(
    Object.entries(changed)
      // what no client can send: Headers refuses it
      .map(([name, value]) => [name, value.replaceAll(/[^\u0020-\u007e\u00a0-\u00ff]/g, '')])
      .filter(([, value]) => value !== ''),
  ) as Record<string, string>;
}
