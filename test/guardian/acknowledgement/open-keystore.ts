/** Child process: opens the keystore it is told and reports what it found. */
import process from 'node:process';

import { openKeystore } from '../../../src/guardian/acknowledgement/keystore.ts';

const { falcon, ecdsa } = await openKeystore(process.argv[2]!);
process.send!({ falcon: falcon.trim(), ecdsa: ecdsa.trim() });
process.disconnect();
