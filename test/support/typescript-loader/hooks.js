import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { compile } from './compile.js';

const project = new URL('../../../tsconfig.json', import.meta.url);
const projectPaths = new Map(
  Object.entries(JSON.parse(readFileSync(project, 'utf8')).compilerOptions.paths).map(
    ([name, [file]]) => [name, new URL(file, project).href],
  ),
);

/** Sources import each other as the files that they compile to, and the package by its name. */
export function resolve(specifier, context, next) {
  const source = projectPaths.get(specifier) ?? sourceBehind(specifier, context.parentURL);
  return source === undefined ? next(specifier, context) : next(source, context);
}

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
  const fileName = fileURLToPath(url);
  const source = await compile(fileName, await readFile(fileName, 'utf8'));
  return { format: 'module', source, shortCircuit: true };
}

function sourceBehind(specifier, parentURL) {
  if (!/^(\.|\/|file:)/.test(specifier)) return undefined;
  const url = new URL(specifier, parentURL);
  if (!url.pathname.endsWith('.js') || existsSync(url)) return undefined;
  url.pathname = `${url.pathname.slice(0, -'.js'.length)}.ts`;
  return existsSync(url) ? url.href : undefined;
}
