import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What an application may write about its pools, after it has named them. */
const AUGMENTED = `
import { getPoolToken, InjectPool, type Pool, PoolModule } from 'nestjs-pools';
declare module 'nestjs-pools' {
  interface PoolNames { primary: true; reports: true; admin: true }
}
`;

const PLAIN = `
import { getPoolToken, InjectPool, type Pool, PoolModule } from 'nestjs-pools';
`;

describe('the names of the pools', () => {
  let directory: string;
  beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), 'pool-names-'))));
  afterAll(() => rm(directory, { recursive: true }));

  /** Compiles an application's file against the sources, and returns what is wrong with it. */
  async function complaintsAbout(text: string): Promise<string[]> {
    const file = join(directory, 'application.mts');
    await writeFile(file, text);
    const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile) as {
      config: { compilerOptions: object };
    };
    const { options } = ts.parseJsonConfigFileContent(
      { compilerOptions: { ...config.compilerOptions, noUnusedLocals: false }, files: [file] },
      ts.sys,
      ROOT,
    );
    const program = ts.createProgram([file], {
      ...options,
      typeRoots: [join(ROOT, 'node_modules/@types')],
    });
    const diagnostics = ts.getPreEmitDiagnostics(program, program.getSourceFile(file));
    return diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  }

  it('are any strings, where the application does not name them', async () => {
    expect(
      await complaintsAbout(`${PLAIN}
        class Reports { constructor(@InjectPool('replcia') readonly pool: Pool) {} }
        getPoolToken('anything');
        PoolModule.forRoot({ pools: { primary: { max: 2 }, whatever: false } });
      `),
    ).toEqual([]);
  });

  it('compile where the application names them and spells them right', async () => {
    expect(
      await complaintsAbout(`${AUGMENTED}
        class Reports {
          constructor(@InjectPool() readonly primary: Pool, @InjectPool('reports') readonly pool: Pool) {}
        }
        getPoolToken('admin');
        PoolModule.forRoot({ pools: { reports: { max: 2 }, admin: false } });
        PoolModule.forRootAsync({ pools: ['primary', 'reports'], useFactory: () => ({}) });
      `),
    ).toEqual([]);
  });

  it('do not compile misspelt anywhere, where the application names them', async () => {
    const complaints = await complaintsAbout(`${AUGMENTED}
      class Reports { constructor(@InjectPool('reprots1') readonly pool: Pool) {} }
      getPoolToken('reprots2');
      PoolModule.forRoot({ pools: { reprots3: { max: 2 } } });
      PoolModule.forRootAsync({ pools: ['reprots4'], useFactory: () => ({}) });
    `);
    expect(complaints).toEqual([1, 2, 3, 4].map((n) => expect.stringContaining(`reprots${n}`)));
  });
});
