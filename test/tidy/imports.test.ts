/** Dependencies point one way, and nothing is exported for nobody. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { project, readModules } from './modules.ts';

const modules = readModules('src', 'tasks', 'scripts', 'graphile.config.ts');

/** Anyone may import these; they import each other only. */
const leaves = ['config', 'errors', 'limits', 'observability'];
const domains = ['guardian', 'operators', 'payments', 'mempool'];

/** `exports` of package.json: what other programs import. */
const published = new Set(['src/client/client.ts']);

/** What a part may import besides itself and the leaves. */
const allowed: Record<string, string[]> = {
  ...Object.fromEntries(leaves.map((leaf) => [leaf, []])),
  database: [],
  kernel: ['database'],
  coordination: ['database'],
  http: [],
  ...Object.fromEntries(domains.map((domain) => [domain, ['http', 'kernel', 'database']])),
  // The development chain answers the calls the adapter makes: it shares that wire format.
  'dev-chain': ['guardian/networks/miden'],
  // Drives a running system from outside, as a wallet does.
  demo: ['guardian'],
  // What other programs talk to a running system with.
  client: ['http'],
  entry: ['http', 'client', 'coordination', 'dev-chain', 'demo', 'kernel', 'database', ...domains],
  tasks: ['kernel', ...domains],
};

/** `src/guardian/deltas/submit.ts` is in the part `guardian`, `src/limits.ts` in `limits`. */
function partOf(file: string): string {
  const [top = '', second = ''] = file.split('/');
  return top === 'src' ? second.replace(/\.ts$/, '') : top;
}

describe('imports', () => {
  it('finds the modules it is about', () => {
    expect(modules.length).toBeGreaterThan(20);
    expect(modules.find(({ file }) => file === 'src/database/migrate.ts')?.imports).toContainEqual({
      from: 'src/limits.ts',
      names: ['databaseLimits'],
    });
  });

  it('point from entry points to domains to the kernel to the database', () => {
    const wrong = modules.flatMap(({ file, imports }) => {
      const part = partOf(file);
      if (file.startsWith('scripts/') || !file.includes('/')) return [];
      const permitted = [part, ...leaves, ...(allowed[part] ?? [])].map((name) => `src/${name}`);
      return imports
        .filter(({ from }) => from.startsWith('src/'))
        .filter(({ from }) =>
          permitted.every((place) => from !== `${place}.ts` && !from.startsWith(`${place}/`)),
        )
        .map(({ from }) => `${file} imports ${from}`);
    });
    expect(wrong).toEqual([]);
  });

  it('never point from the system to its tests', () => {
    const wrong = modules.flatMap(({ file, imports }) =>
      imports.filter(({ from }) => from.startsWith('test/')).map(({ from }) => `${file}: ${from}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('exports', () => {
  it('are imported by somebody, tests aside', () => {
    const used = new Set(
      modules.flatMap(({ imports }) =>
        imports.flatMap(({ from, names }) => names.map((name) => `${from} ${name}`)),
      ),
    );
    const dead = modules
      .filter(({ file }) => file.startsWith('src/') && !published.has(file))
      .filter(({ file }) => !used.has(`${file} *`))
      .flatMap(({ file, exports }) => exports.map((name) => `${file} ${name}`))
      .filter((name) => !used.has(name));
    expect(dead).toEqual([]);
  });
});

describe('the kernel', () => {
  it('knows no domain', () => {
    const words = /guardian|miden|falcon|proposal|commitment|nonce|payment|mempool|bitcoin|canton/i;
    const migrations = path.join(project, 'migrations/functions');
    const kernel = [
      ...modules.map(({ file }) => file).filter((file) => file.startsWith('src/kernel/')),
      ...fs
        .readdirSync(migrations)
        .filter((name) => name.includes('kernel'))
        .map((name) => `migrations/functions/${name}`),
    ];
    const wrong = kernel.filter((file) =>
      words.test(fs.readFileSync(path.join(project, file), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });
});
