import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runCommand } from './run-command.js';

/** The tarball that `npm publish` would send, in a directory of its own. */
export class PackedPackage implements AsyncDisposable {
  private constructor(
    private readonly directory: string,
    readonly file: string,
  ) {}

  /** Packs what the last build left in `dist`: `npm run test:long` builds before it starts. */
  static async pack(): Promise<PackedPackage> {
    const directory = await mkdtemp(join(tmpdir(), 'nestjs-pools-packed-'));
    const said = await runCommand('npm', [
      'pack',
      '--ignore-scripts',
      '--pack-destination',
      directory,
    ]);
    const [file] = await readdir(directory);
    if (file === undefined) throw new Error(`npm pack left no file:\n${said}`);
    return new PackedPackage(directory, join(directory, file));
  }

  async bytes(): Promise<ArrayBuffer> {
    const content = await readFile(this.file);
    return new Uint8Array(content).buffer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
