/**
 * Where task files find what they work with. graphile-worker loads tasks by file name and hands
 * them nothing but a payload, so the entry point leaves the context here before it starts.
 */
import type { CanonicalizationContext } from './deltas/canonicalize.ts';

let provided: (() => Promise<CanonicalizationContext>) | undefined;

/** Called once by an entry point; `build` runs at the first job. */
export function provideCanonicalization(build: () => Promise<CanonicalizationContext>): void {
  let built: Promise<CanonicalizationContext> | undefined;
  provided = () => (built ??= build());
}

/** @throws Error when no entry point has provided a context. */
export function canonicalizationContext(): Promise<CanonicalizationContext> {
  if (!provided) throw new Error('no entry point has provided the canonicalization context');
  return provided();
}
