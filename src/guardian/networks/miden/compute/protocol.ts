/** The messages between the pool and its threads. */
import type { AckKeys } from '../../../acknowledgement/ack-keys.ts';
import type { OperationName, Operations } from './compute.ts';
import type { ErrorRecord } from './errors.ts';

/** Handed to a thread once, when it starts; never part of a message. */
export interface ThreadData {
  keys: AckKeys;
}

/** One at a time: a thread answers before it gets the next. */
export interface Task {
  name: OperationName;
  input: Parameters<Operations[OperationName]>[0];
}

export type ThreadMessage =
  { kind: 'ready' } | { kind: 'result'; value: unknown } | { kind: 'error'; error: ErrorRecord };

export function call<Name extends OperationName>(
  operations: Operations,
  name: Name,
  input: Parameters<Operations[Name]>[0],
): ReturnType<Operations[Name]> {
  const operation = operations[name] as (
    input: Parameters<Operations[Name]>[0],
  ) => ReturnType<Operations[Name]>;
  return operation(input);
}

/**
 * The value with its own copy of every byte array, and the buffers of those copies to transfer.
 *
 * The copy is on purpose: cloning a view would clone the buffer behind it whole (a database
 * driver hands out views of large buffers), and transferring it would take bytes from their owner.
 */
export function packed<T extends object>(value: T): { value: T; buffers: ArrayBuffer[] } {
  const buffers: ArrayBuffer[] = [];
  const members = Object.entries(value).map(([key, member]: [string, unknown]) => {
    if (!(member instanceof Uint8Array)) return [key, member];
    const copy = Uint8Array.from(member);
    buffers.push(copy.buffer);
    return [key, copy];
  });
  return { value: Object.fromEntries(members) as T, buffers };
}
