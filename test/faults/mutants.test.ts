/** Of the mutants themselves, without running them. */
import { expect, it } from 'vitest';
import { grounds, mutants } from './mutants.ts';

const all = Object.values(mutants);

it('breaks each of the invariants', () => {
  const broken = new Set(all.flatMap(({ breaks }) => breaks.match(/K\d/g) ?? []));
  expect([...broken].toSorted()).toEqual(['K1', 'K2', 'K3', 'K4', 'K5', 'K6', 'K7', 'K8']);
});

it('counts on no kind that a slow machine or a short wait shows as well', () => {
  const shown = all.map(({ shows }) => shows);
  expect(shown.filter((kind) => ['late', 'lost', 'idle'].includes(kind))).toEqual([]);
});

it('runs in both queue modes', () => {
  const modes = new Set(all.map(({ on }) => grounds[on].queue));
  expect([...modes].toSorted()).toEqual(['account', 'none']);
});

it.each(Object.entries(mutants))('%s still finds what it breaks', (_name, mutant) => {
  expect(mutant.sql()).toContain('create');
});
