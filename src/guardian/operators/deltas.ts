import type { Context } from 'hono';
import { ServiceError } from '../../errors.ts';
import { operatorLimits } from '../../limits.ts';
import type { JsonValue } from '../authentication/canonical-json.ts';
import type { DescribedSummary } from '../networks/miden/summary/describe.ts';
import { requireNamedAccount } from './account-id.ts';
import type { OperatorContext } from './context.ts';
import { readPayload, readProposalMetadata } from './delta-payload.ts';
import { readPage } from './pages.ts';
import { openedOrNull } from './sealed.ts';

const deltaStatuses = ['candidate', 'canonical', 'retained', 'discarded'] as const;
type DeltaStatus = (typeof deltaStatuses)[number];

/** What lists and detail have in common. */
export interface DeltaFacts {
  account_id: string;
  nonce: bigint;
  status: DeltaStatus;
  status_reason: string | null;
  status_timestamp: Date;
  prev_commitment: string;
  new_commitment: string;
  /** Names the proposal a delta was pushed from. */
  summary_commitment: string;
  retry_count: number;
}

interface ListedDelta extends DeltaFacts {
  /** JSON texts; null when there is none, or when it is too long for a list. */
  payload: string | null;
  proposal: string | null;
}

/** The highest nonce that the page may hold. */
const startOfAccount: readonly [nonce: string] = [String(2n ** 63n - 1n)];
/** `position` is a status_timestamp in full precision. */
const startOfAll: readonly [position: string, account: string, nonce: string] = [
  'infinity',
  '',
  '0',
];

/**
 * GET /dashboard/accounts/{id}/deltas: by nonce, the highest first (protocol §1.5, O9).
 * @throws ServiceError `account_not_found`, `invalid_limit`, `invalid_cursor`
 */
export async function listAccountDeltas(c: Context, context: OperatorContext) {
  const { accountId } = requireNamedAccount(c);
  const page = readPage(c, context.cursors, `operators:deltas:${accountId}`, startOfAccount);
  const [highest] = page.after;
  const rows = await context.sql<(ListedDelta & { known: boolean })[]>`
    select k.known, ${columns(context)} from
      (select exists (select 1 from guardian.listed_account(${accountId})) as known) k
    left join lateral (
      select * from guardian.delta
      where account_id = ${accountId} and nonce <= ${highest}::text::bigint
      order by nonce desc limit ${page.limit + 1}
    ) d on k.known
    order by d.nonce desc`;
  if (!rows[0]?.known) throw new ServiceError('account_not_found');
  const found = rows.filter((row) => row.nonce !== null).map((row) => opened(context, row));
  const category = await categoriesOf(context, found.slice(0, page.limit));
  return page.envelope(
    found,
    (row): JsonValue => listed(row, category),
    (row) => [String(row.nonce - 1n)],
  );
}

/**
 * GET /dashboard/deltas: deltas of all accounts, the last to change status first (O12).
 * @throws ServiceError `invalid_status_filter`, `invalid_limit`, `invalid_cursor`
 */
export async function listDeltas(c: Context, context: OperatorContext) {
  const statuses = parseStatuses(c.req.query('status'));
  const page = readPage(c, context.cursors, 'operators:deltas', startOfAll);
  const [at, account, nonce] = page.after;
  const stored = await context.sql<(ListedDelta & { position: string })[]>`
    select f.position, ${columns(context)}
    from guardian.delta_feed(${[...statuses]}, ${at}::text::timestamptz, ${account},
      ${nonce}::text::bigint, ${page.limit + 1}) f
    cross join lateral (
      select * from guardian.delta o
      where o.account_id = f.account_id and o.nonce = f.nonce limit 1
    ) d
    order by d.status_timestamp desc, d.account_id, d.nonce`;
  const rows = stored.map((row) => opened(context, row));
  const category = await categoriesOf(context, rows.slice(0, page.limit));
  return page.envelope(
    rows,
    (row): JsonValue => ({ ...listed(row, category), account_id: row.account_id }),
    (row) => [row.position, row.account_id, String(row.nonce)],
  );
}

/** @throws ServiceError `invalid_status_filter` */
function parseStatuses(text: string | undefined): ReadonlySet<DeltaStatus> {
  if (text === undefined || text === '') return new Set(deltaStatuses);
  const wanted = text.split(',').map((token) => {
    const status = deltaStatuses.find((name) => name === token);
    if (!status) throw new ServiceError('invalid_status_filter');
    return status;
  });
  return new Set(wanted);
}

/** Columns of a listed delta `d`; documents only up to a length that a page of them can have. */
function columns({ sql, storage }: OperatorContext) {
  const most = storage.storedBytes(operatorLimits.listedDocumentBytes);
  return sql`
    d.account_id, d.nonce, d.status, d.status_reason, d.status_timestamp, d.prev_commitment,
    d.new_commitment, d.summary_commitment, d.retry_count,
    case when pg_column_size(d.payload) <= ${most} and octet_length(d.payload::text) <= ${most}
      then d.payload::text end as payload,
    case when pg_column_size(d.proposal) <= ${most} and octet_length(d.proposal::text) <= ${most}
      then d.proposal::text end as proposal`;
}

function opened<Row extends ListedDelta>(context: OperatorContext, row: Row): Row {
  const { account_id: accountId, nonce, summary_commitment: commitment, payload, proposal } = row;
  const { storage } = context;
  const open = (text: string | null, how: (text: string) => string) =>
    text === null ? null : openedOrNull(context, accountId, () => how(text));
  return {
    ...row,
    payload: open(payload, (text) => storage.openDelta(accountId, nonce, text)),
    proposal: open(proposal, (text) => storage.openMetadata(accountId, commitment, text)),
  };
}

type Categories = ReadonlyMap<ListedDelta, string>;

/** Of the deltas whose summaries can be read; the others have none. */
async function categoriesOf(
  context: OperatorContext,
  rows: readonly ListedDelta[],
): Promise<Categories> {
  const readable = rows.flatMap((row) => {
    const summary = row.payload === null ? null : readPayload(row.payload).summary;
    return summary ? [{ row, summary }] : [];
  });
  if (readable.length === 0) return new Map();
  const described = await context.describeSummaries(readable.map(({ summary }) => summary));
  return new Map(
    readable.flatMap(({ row }, index) => {
      const category = categoryOf(described[index] ?? null);
      return category ? [[row, category] as const] : [];
    }),
  );
}

/** Summaries with assets or notes are refused when they are submitted: three categories remain. */
export function categoryOf(described: DescribedSummary | null): string | null {
  if (!described) return null;
  if (described.switchesGuardian) return 'guardian_switch';
  return described.storage.length > 0 ? 'account_storage_change' : 'custom';
}

function listed(row: ListedDelta, categories: Categories): { [key: string]: JsonValue } {
  const category = categories.get(row);
  const type = readProposalMetadata(row.proposal).proposal?.['proposal_type'];
  return {
    ...factsOf(row),
    ...(category === undefined ? {} : { category }),
    ...(type === undefined ? {} : { proposal_type: type }),
  };
}

/** The members that every delta has on the wire. */
export function factsOf(row: DeltaFacts): { [key: string]: JsonValue } {
  return {
    nonce: row.nonce,
    status: row.status,
    status_timestamp: row.status_timestamp.toISOString(),
    prev_commitment: row.prev_commitment,
    new_commitment: row.new_commitment,
    ...(row.status === 'candidate' ? { retry_count: BigInt(row.retry_count) } : {}),
    ...(row.status_reason === null ? {} : { status_reason: row.status_reason }),
  };
}
