/** The published operator client, unmodified, on Node, on Deno and across three replicas. */
import { describeOperatorClient } from '../operators/client-suite.ts';
import { allPermissions, createOperatorKey, writeAllowlist } from '../operators/operator.ts';
import { startSystem, type Replicas, type Storage } from '../support/system.ts';

const systems: [Replicas, Storage][] = [
  ['node', 'embedded'],
  ['node', 18],
  ['deno', 18],
  ['three replicas', 18],
];

for (const [replicas, storage] of systems) {
  const name = `guardian-operator-client 0.17.0 on ${replicas} with database ${storage}`;
  describeOperatorClient(name, async () => {
    const [admin, reader] = [createOperatorKey('falcon'), createOperatorKey('ecdsa')];
    const allowlist = writeAllowlist([
      { public_key: admin.publicKey, permissions: allPermissions },
      reader.publicKey,
    ]);
    const system = await startSystem(replicas, storage, allowlist.environment);
    return {
      url: system.url,
      admin,
      reader,
      land: (accountId, commitment) => system.chain.land(accountId, commitment),
      async stop() {
        await system.stop();
        allowlist.remove();
      },
    };
  });
}
