/** The API under attack: accounts in every situation, and a look at everything that is stored. */
import { openInProcess, exchange, type Service } from '../http/service.ts';
import { nextTimestamp, type Prepared } from '../http/signed.ts';
import { openCaller } from '../evm/caller.ts';
import { withoutAnvil } from '../evm/anvil.ts';
import { openStage, type EvmStage } from '../evm/stage.ts';
import { openEvmWallet } from '../evm/wallet.ts';
import { canonicalJson } from '../../src/guardian/authentication/canonical-json.ts';
import { evmTemplates, makeActor, midenTemplates, type Actor, type Template } from './templates.ts';

export interface World {
  service: Service;
  actors: Actor[];
  evm: Template[];
  cookie: string;
  /** Of every row that a refusal must not change. */
  stored(): Promise<string>;
  close(): Promise<void>;
}

/** Signed as it should be. */
export function signed(actor: Actor, template: Template): Prepared {
  const timestamp = nextTimestamp();
  const { accountId } = actor.holder;
  const payload = canonicalJson(template.body ?? template.query ?? {});
  const search = new URLSearchParams(
    Object.entries(template.query ?? {}).map(([name, value]) => [name, String(value)]),
  );
  return {
    path: template.query ? `${template.path}?${search}` : template.path,
    init: {
      method: template.method,
      ...(template.body ? { body: payload } : {}),
      headers: {
        'content-type': 'application/json',
        'x-pubkey': actor.signer.publicKey,
        'x-signature': actor.signer.sign(accountId, timestamp, payload),
        'x-timestamp': String(timestamp),
      },
    },
  };
}

export async function openWorld(): Promise<World> {
  const stage = withoutAnvil ? undefined : await openStage();
  const service = await openInProcess(
    stage?.environment ?? { GUARDIAN_EVM_RPC_URLS: '31337=http://127.0.0.1:9' },
  );
  const actors: Actor[] = [];
  for (const [name, scheme] of [
    ['new', 'ecdsa'],
    ['plain', 'ecdsa'],
    ['pending', 'ecdsa'],
    ['paused', 'ecdsa'],
    ['released', 'ecdsa'],
    ['landed', 'ecdsa'],
    ['falcon', 'falcon'],
  ] as const) {
    const { body } = await exchange(service, { path: `/pubkey?scheme=${scheme}` });
    actors.push(makeActor(name, String(body['commitment']), scheme));
  }
  for (const actor of actors.slice(1)) await expectDone(service, actor, 0);
  for (const actor of [actors[2]!, actors[5]!]) await expectDone(service, actor, 1);
  await expectDone(service, actors[1]!, 2);
  await service.execute(`update guardian.delta set status = 'canonical'
    where account_id = '${actors[5]!.holder.accountId}'`);
  await service.execute(`update guardian.account set paused_at = now(), paused_reason = 'test'
    where account_id = '${actors[3]!.holder.accountId}'`);
  await service.execute(`update guardian.account set released_at = now()
    where account_id = '${actors[4]!.holder.accountId}'`);
  const wallet = await openWalletSession(service, stage);
  const close = async () => {
    await service.close();
    await stage?.stop();
  };
  return { service, actors, close, ...wallet, ...(await watchTables(service)) };
}

async function expectDone(service: Service, actor: Actor, template: number): Promise<void> {
  const request = signed(actor, midenTemplates(actor, 1)[template]!);
  const { status, body } = await exchange(service, request);
  if (status !== 200) throw new Error(`${request.path}: ${JSON.stringify(body)}`);
}

/** A wallet with an account and a proposal on a real chain; where there is none, with neither. */
async function openWalletSession(service: Service, stage: EvmStage | undefined) {
  const wallet = openEvmWallet('http://unused');
  const caller = openCaller(service, wallet);
  await caller.enter();
  const hash = `0x${'7a'.repeat(32)}` as const;
  const subject = {
    wallet: wallet.address,
    account: {
      chainId: 31_337,
      address: `0x${'ac'.repeat(20)}`,
      validator: `0x${'5b'.repeat(20)}`,
      accountId: `evm:31337:0x${'ac'.repeat(20)}`,
    },
    proposalId: `0x${'1d'.repeat(32)}`,
    signed: { hash, signature: await wallet.sign(hash) },
  };
  if (stage) {
    const account = await stage.createAccount([wallet.address], 1);
    await caller.post('/evm/accounts', {
      chain_id: account.chainId,
      account_address: account.address,
      multisig_validator_address: account.validator,
    });
    const created = await caller.post('/evm/proposals', await caller.proposal(account));
    Object.assign(subject, { account, proposalId: String(created['proposal_id']) });
  } else {
    const { accountId, chainId, address, validator } = subject.account;
    await service.execute(`select guardian.register_evm_account(
      '${accountId}', ${chainId}, '${address}', '${validator}')`);
  }
  return { cookie: caller.cookie, evm: evmTemplates(subject) };
}

/**
 * The clocks of signers go forward with an admitted request even if it is refused afterwards; the
 * others are written by the process itself, from time to time.
 */
const changing = new Set([
  'guardian.signer_clock',
  'guardian.auth_challenge',
  'guardian.canonical_count',
  'canonry.worker',
  'canonry.replica',
]);

async function watchTables(service: Service): Promise<Pick<World, 'stored'>> {
  const tables = (await service.execute(`
    select schemaname || '.' || tablename as name from pg_tables
    where schemaname in ('guardian', 'canonry') or tablename = '_private_jobs'`)) as {
    name: string;
  }[];
  const hashed = tables
    .filter(({ name }) => !changing.has(name))
    .map(
      ({ name }) =>
        `select '${name}' as name, count(*) as n, sum(hashtextextended(t::text, 0)) as h from ${name} t`,
    );
  const text = async (query: string) =>
    JSON.stringify(await service.execute(query), (_key, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
  return {
    stored: () =>
      text(
        `select string_agg(name || n || ':' || h, ' ') as rows from (${hashed.join(' union all ')}) all_rows`,
      ),
  };
}
