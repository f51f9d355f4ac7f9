/**
 * Where task files find what they work with. graphile-worker loads tasks by file name and hands
 * them nothing but a payload, so the entry point leaves the context here before it starts.
 */
import type { CanonicalizationContext } from './deltas/canonicalize.ts';

let provided: CanonicalizationContext | undefined;

/** Called by an entry point before the worker starts. */
export function provideCanonicalization(context: CanonicalizationContext): void {
  provided = context;
}

/** @throws Error when no entry point has provided a context. */
export function canonicalizationContext(): CanonicalizationContext {
  if (!provided) throw new Error('no entry point has provided the canonicalization context');
  return provided;
}
