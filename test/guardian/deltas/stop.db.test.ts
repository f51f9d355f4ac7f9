/** A planned stop does not wait for a chain that hangs (K6), on every database. */
import { describe, expect, it } from 'vitest';
import { everyDatabase } from '../../support/databases.ts';
import { stageOn, word } from './stage.ts';

describe.each(everyDatabase)('a planned stop on $name', ({ open }) => {
  const stage = stageOn(open);

  /** A chain that begins to answer, and answers when the test says so. */
  const slowChain = () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<string>();
    const commitmentOnChain = () => {
      asked.resolve();
      return answer.promise;
    };
    return { asked: asked.promise, answer: answer.resolve, network: { commitmentOnChain } };
  };

  it('hands the line over in the middle of a look, and drops what the look would show', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    const chain = slowChain();
    const stopping = new AbortController();
    const drained = stage.wakeUp({ ...stage.context, network: chain.network }, stopping.signal);
    await chain.asked;
    stopping.abort();
    await drained;
    const [line] = await stage.database.sql`
      select l.holder, c.state, c.attempts, c.failures, j.run_at <= now() as due
      from canonry.line l join canonry.candidate c using (line_id)
      join graphile_worker.jobs j on j.key = 'canonicalize:' || l.account
      where l.account = ${stage.accountId}`;
    expect(line).toEqual({ holder: null, state: 'waiting', attempts: 0, failures: 0, due: true });
    chain.answer(word(2));
    expect(await stage.delta(1)).toMatchObject({ status: 'candidate' });
    stage.shows = word(2);
    await stage.wakeUp();
    expect(await stage.delta(1)).toMatchObject({ status: 'canonical' });
  });

  it('gives a look at deltas that were given up back to the job engine', async () => {
    await stage.openAccount();
    await stage.submit(1, 1, 2);
    stage.shows = word(9);
    for (let i = 0; i < 2; i++) await stage.look();
    const chain = slowChain();
    const stopping = new AbortController();
    const pass = stage.reconcile({ ...stage.context, network: chain.network }, stopping.signal);
    await chain.asked;
    stopping.abort(new Error('stopped'));
    await expect(pass).rejects.toThrow('stopped');
    chain.answer(word(2));
    expect(await stage.delta(1)).toMatchObject({ status: 'retained' });
  });
});
