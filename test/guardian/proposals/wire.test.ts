import { expect, it } from 'vitest';
import { canonicalJson, parseJson } from '../../../src/guardian/authentication/canonical-json.ts';
import { normalizeProposal } from '../../../src/guardian/proposals/wire.ts';

const normalized = (text: string) => canonicalJson(normalizeProposal(parseJson(text)).payload);

it('keeps members that are called like parts of an object', () => {
  const members = '"__proto__":{"a":1},"constructor":{"prototype":2}';
  const kept = normalized(
    `{"metadata":{${members},"description":"","proposal_type":"custom"},"signatures":[],"tx_summary":{${members},"data":"AA=="},${members}}`,
  );
  expect(kept.split(members)).toHaveLength(4);
});

it('trims the type, fills in the description, and writes an amount as text', () => {
  expect(
    normalized(
      '{"metadata":{"amount":5,"proposal_type":" custom "},"signatures":[],"tx_summary":{"data":"AA=="}}',
    ),
  ).toBe(
    '{"metadata":{"amount":"5","description":"","proposal_type":"custom"},"tx_summary":{"data":"AA=="}}',
  );
  expect(
    normalized(
      '{"metadata":{"amount":null,"proposal_type":"custom"},"signatures":[],"tx_summary":{"data":"AA=="}}',
    ),
  ).not.toContain('amount');
});
