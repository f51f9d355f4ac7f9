/** The published operator client, unmodified, against Node and Deno. */
import { describeOperatorClient } from '../operators/client-suite.ts';
import { allPermissions, createOperatorKey, writeAllowlist } from '../operators/operator.ts';
import { startSystem, type Runtime, type Storage } from '../support/system.ts';

const systems: [Runtime, Storage][] = [
  ['node', 'embedded'],
  ['node', 18],
  ['deno', 18],
];

for (const [runtime, storage] of systems) {
  const name = `guardian-operator-client 0.17.0 on ${runtime} with database ${storage}`;
  describeOperatorClient(name, async () => {
    const [admin, reader] = [createOperatorKey('falcon'), createOperatorKey('ecdsa')];
    const allowlist = writeAllowlist([
      { public_key: admin.publicKey, permissions: allPermissions },
      reader.publicKey,
    ]);
    const system = await startSystem(runtime, storage, allowlist.environment);
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
