/** Reads imports and exports of the project's own modules, without a compiler. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Module {
  /** Path from the project's root. */
  file: string;
  /** Exported names; types that an exported signature of the same file needs are left out. */
  exports: string[];
  imports: Import[];
}

interface Import {
  /** Path of the imported module from the root; packages are left out. */
  from: string;
  /** Imported names; `*` for the whole module. */
  names: string[];
}

export const project = fileURLToPath(new URL('../../', import.meta.url));

/** Every TypeScript module under the given folders, and the given files. */
export function readModules(...places: string[]): Module[] {
  return places.flatMap(typescriptFiles).map((file) => {
    const text = withoutComments(fs.readFileSync(path.join(project, file), 'utf8'));
    return { file, exports: findExports(text), imports: findImports(text, file) };
  });
}

function typescriptFiles(place: string): string[] {
  const full = path.join(project, place);
  if (!fs.existsSync(full)) return [];
  if (fs.statSync(full).isFile()) return [place];
  return fs
    .readdirSync(full, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.(as|wasm)\.ts$/.test(name))
    .map((name) => path.posix.join(place, name.replaceAll(path.sep, '/')));
}

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*\/\*[\s\S]*?\*\//gm, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

const declaration =
  /^export (?:declare )?(?:abstract )?(?:async )?(function\*?|const|let|class|interface|type) ([\w$]+)/gm;
const list = /^export (?:type )?\{([^}]*)\}/gm;

function findExports(text: string): string[] {
  const declared = [...text.matchAll(declaration)]
    .filter(([, kind = '', name = '']) => !(isType(kind) && mentions(text, name) > 1))
    .map(([, , name = '']) => name);
  const listed = [...text.matchAll(list)].flatMap(([, names = '']) =>
    splitNames(names).map((name) => name.split(' as ').at(-1) ?? name),
  );
  return [...declared, ...listed];
}

function isType(kind: string): boolean {
  return kind === 'interface' || kind === 'type';
}

function mentions(text: string, name: string): number {
  return text.split(new RegExp(`\\b${name}\\b`)).length - 1;
}

const statement = /^(?:import|export)\s+(?:type\s+)?([^'";]*?)\s+from\s+'(\.[^']*)'/gm;
const dynamic = /import\('(\.[^']*)'\)/g;

function findImports(text: string, file: string): Import[] {
  const resolve = (specifier: string) => path.posix.join(path.posix.dirname(file), specifier);
  const statements = [...text.matchAll(statement)].map(([, what = '', specifier = '']) => ({
    from: resolve(specifier),
    names: importedNames(what),
  }));
  const calls = [...text.matchAll(dynamic)].map(([, specifier = '']) => ({
    from: resolve(specifier),
    names: ['*'],
  }));
  return [...statements, ...calls];
}

function importedNames(what: string): string[] {
  const braces = /\{([^}]*)\}/.exec(what)?.[1];
  if (braces === undefined) return what.includes('*') ? ['*'] : ['default'];
  return splitNames(braces).map((name) => name.split(' as ')[0] ?? name);
}

function splitNames(names: string): string[] {
  return names
    .split(',')
    .map((name) => name.trim().replace(/^type /, ''))
    .filter((name) => name !== '');
}
