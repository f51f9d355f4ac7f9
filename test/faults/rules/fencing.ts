/** Claims: a fence only grows, and only the holder of a line writes (K3). */
import type { CandidateRow, LineRow, Run } from '../history.ts';
import { kernelLimits } from '../../../src/limits.ts';
import { violation, type Violation } from './violation.ts';

export function checkFences(run: Run): Violation[] {
  const violations: Violation[] = [];
  /** Process behind each worker pool. */
  const owners = new Map<string, string>();
  /** Lines before the transaction that the walk is in. */
  const lines = new Map<string, { txid: string; before: LineRow | null; now: LineRow | null }>();
  for (const change of run.changes) {
    if (change.relation === 'worker' && change.after) owners.set(change.key, change.writer);
    if (change.relation === 'line') {
      const { key, txid, before, after, at } = change;
      violations.push(...checkLine(key, before, after, at));
      const known = lines.get(key);
      lines.set(key, { txid, before: known?.txid === txid ? known.before : before, now: after });
    }
    if (change.relation !== 'candidate') continue;
    const { key, txid, before, after, writer } = change;
    if (!before || !after || !isDecision(before, after)) continue;
    // a person's retry takes the line from whoever holds it, under a new fence
    if (after.why === 'retried' && lines.get(after.line_id)?.txid === txid) continue;
    const line = lines.get(after.line_id);
    const holder = (line?.txid === txid ? line.before : line?.now)?.holder ?? 'nobody';
    if (owners.get(holder) !== writer) {
      violations.push(
        violation('fence', `${writer} wrote candidate ${key}, whose line ${holder} held`),
      );
    }
  }
  return violations;
}

/** A look that was written down, a failure or a resolution; not a request to look now. */
function isDecision(before: CandidateRow, after: CandidateRow): boolean {
  return (
    before.attempts !== after.attempts ||
    before.failures !== after.failures ||
    before.state !== after.state
  );
}

function checkLine(
  key: string,
  before: LineRow | null,
  after: LineRow | null,
  at: number,
): Violation[] {
  if (!before || !after) return before ? [violation('lost', `line ${key} was removed`)] : [];
  if (after.fence < before.fence) {
    return [violation('fence', `the fence of line ${key} fell to ${after.fence}`)];
  }
  const taken = after.holder !== null && after.holder !== before.holder;
  if (taken && after.fence === before.fence) {
    return [violation('fence', `line ${key} was claimed without a new fence`)];
  }
  const held = before.holder !== null && before.claimed_at !== null && after.holder !== null;
  const young = held && at - (before.claimed_at ?? 0) < kernelLimits.claimSeconds * 1_000 - 1_000;
  if (after.fence > before.fence && young) {
    return [violation('fence', `line ${key} was claimed while ${before.holder} held it`)];
  }
  return [];
}
