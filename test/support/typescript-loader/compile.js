import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../../../tsconfig.json', import.meta.url));
const cache = new URL('../../../node_modules/.cache/typescript-loader/', import.meta.url);
const { version } = createRequire(import.meta.url)('typescript/package.json');
const circumstances = `${version}\n${readFileSync(project, 'utf8')}`;

let typescript;

/**
 * Compiles one file with the project's own options: decorators and their metadata work as in a
 * build. What was compiled once is kept, since loading the compiler takes longer than most programs.
 */
export async function compile(fileName, source) {
  const key = createHash('sha256').update(`${circumstances}\n${fileName}\n${source}`).digest('hex');
  const kept = new URL(`${key}.js`, cache);
  return (await readFile(kept, 'utf8').catch(() => undefined)) ?? keep(kept, fileName, source);
}

async function keep(kept, fileName, source) {
  typescript ??= loadCompiler();
  const { ts, compilerOptions } = await typescript;
  const { outputText } = ts.transpileModule(source, { fileName, compilerOptions });
  // Several programs may compile the same file at once: each of them puts a whole file in place.
  const draft = new URL(`${kept.href}.${randomBytes(4).toString('hex')}`);
  await mkdir(cache, { recursive: true })
    .then(() => writeFile(draft, outputText))
    .then(() => rename(draft, kept))
    .catch(() => {
      // The installation belongs to somebody else: compiled again the next time.
    });
  return outputText;
}

async function loadCompiler() {
  const { default: ts } = await import('typescript');
  const { options } = ts.getParsedCommandLineOfConfigFile(
    project,
    { noEmit: false, inlineSourceMap: true, module: ts.ModuleKind.ESNext },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} },
  );
  return { ts, compilerOptions: options };
}
