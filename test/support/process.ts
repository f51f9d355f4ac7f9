import { onTestFinished } from 'vitest';
import { startNode, type RunningProcess, type RunOptions } from './spawn.ts';

export { startDeno, startNode, type RunningProcess } from './spawn.ts';

/** Runs a TypeScript file of the project under the Node of the tests until the test ends. */
export function runNode(file: string, options: RunOptions = {}): RunningProcess {
  const running = startNode(file, options);
  onTestFinished(() => void running.child.kill('SIGKILL'));
  return running;
}
