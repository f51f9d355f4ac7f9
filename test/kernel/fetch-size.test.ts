import { expect, test } from 'vitest';
import { nextFetchSize } from '../../src/kernel/fetch-size.ts';

const smallest = 21;

test('a fetch that costs little beside its jobs stays small', () => {
  expect(nextFetchSize(21, 2, 40, smallest)).toBe(21);
});

test('it doubles while fetching takes more than a tenth of the time', () => {
  expect(nextFetchSize(21, 300, 15, smallest)).toBe(42);
  expect(nextFetchSize(672, 300, 900, smallest)).toBe(1_344);
});

test('it grows neither beyond the bound nor once its jobs take a second', () => {
  expect(nextFetchSize(1_344, 300, 900, smallest)).toBe(2_000);
  expect(nextFetchSize(672, 300, 1_001, smallest)).toBe(672);
});

test('it shrinks when its jobs turn slow, down to the smallest', () => {
  expect(nextFetchSize(672, 300, 2_001, smallest)).toBe(336);
  expect(nextFetchSize(30, 300, 2_001, smallest)).toBe(21);
});
