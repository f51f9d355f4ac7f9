import type { SettleContext } from './settle.ts';

let provided: SettleContext | undefined;

/** Called by the worker process before the worker starts. */
export function provideSettle(context: SettleContext): void {
  provided = context;
}

/** @throws Error when the process has provided no context. */
export function settleContext(): SettleContext {
  if (!provided) throw new Error('no context has been provided');
  return provided;
}
