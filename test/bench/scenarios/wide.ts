/** Many accounts with one candidate each, beside a thousand of them by the same workers. */
import { drain, openFleet, type Fleet } from '../kernel/fleet.ts';
import { createAccounts, judge, settleDown, submitAll } from '../kernel/load.ts';
import { secret, type Scenario, type ScenarioOptions } from '../kernel/scenario.ts';
import type { Run, Stage } from '../kernel/stage.ts';

const few = 1_000;
/** Until the workers' code is compiled: a process that was just started makes half the rate. */
const warmUpRounds = 10;
/** A thousand accounts are done within half a second: the rate is that of so many together. */
const fewRounds = 20;

export const wide: Scenario = async (stage, options) => {
  const accounts = options.accounts ?? 100_000;
  const run = await stage.openRun();
  const fleet = await openFleet(run, options);
  const rounds = new Rounds(stage, run, fleet, options);
  options.say(`${few} accounts, ${warmUpRounds} times to warm up and ${fewRounds} times …`);
  for (let n = 0; n < warmUpRounds; n++) await rounds.drain(few);
  let seconds = 0;
  for (let n = 0; n < fewRounds; n++) {
    seconds += few / (await rounds.drain(few)).finalizations_per_s;
  }
  const ofFew = Number(((few * fewRounds) / seconds).toPrecision(4));
  options.say(`${accounts} accounts …`);
  const drained = await rounds.drain(accounts);
  await fleet.stop();
  const verdict = await judge(run.sql, options.batch ? null : secret);
  await run.drop();
  return {
    accounts,
    candidates: accounts,
    ...drained,
    ...verdict,
    with_1000_accounts_per_s: ofFew,
    of_1000_accounts: Number((drained.finalizations_per_s / ofFew).toFixed(3)),
  };
};

/** Loads of one candidate each, one after the other: all of one are due before the first is done. */
class Rounds {
  readonly #stage: Stage;
  readonly #run: Run;
  readonly #fleet: Fleet;
  readonly #options: ScenarioOptions;
  #accounts = 0;
  #effects = 0;
  #seq = 0;

  constructor(stage: Stage, run: Run, fleet: Fleet, options: ScenarioOptions) {
    this.#stage = stage;
    this.#run = run;
    this.#fleet = fleet;
    this.#options = options;
  }

  async drain(accounts: number): ReturnType<typeof drain> {
    const load = { accounts, each: 1, wakeQueue: this.#options.queue };
    const missing = { ...load, from: this.#accounts + 1, accounts: accounts - this.#accounts };
    if (missing.accounts > 0) {
      await createAccounts(this.#run.sql, missing);
      this.#accounts = accounts;
    }
    this.#seq += 1;
    await submitAll(this.#run.sql, load, this.#seq);
    await settleDown(this.#run.sql);
    this.#effects += accounts;
    const drained = await drain(this.#stage, this.#run, this.#fleet, this.#effects, accounts);
    await this.#fleet.pause();
    return drained;
  }
}
