import { describe, expect, it } from '@jest/globals';
import { ChildProgram } from '../../support/child-program.js';

const PROGRAM = new URL('./fixtures/child-program.ts', import.meta.url);

describe('ChildProgram', () => {
  it('runs TypeScript with decorators and tells how it ended', async () => {
    await using program = ChildProgram.run(PROGRAM, { args: ['end'], env: { GREETING: 'hello' } });

    expect(await program.ends()).toEqual({
      code: 3,
      signal: null,
      stdout: 'hello Date\n',
      stderr: 'a word aside\n',
    });
  });

  it('waits for a word and passes signals on', async () => {
    await using program = ChildProgram.run(PROGRAM, { args: ['stay'] });

    await program.says(/word/);
    program.signal('SIGTERM');

    expect(await program.ends()).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it('kills a program that does not end by itself, and shows what it said', async () => {
    await using program = ChildProgram.run(PROGRAM, { args: ['stay'] });
    await program.says(/word/);

    await expect(program.ends(50)).rejects.toThrow(/did not end within 50 ms[^]*a word aside/);
    expect(program.running).toBe(false);
  });

  it('does not wait for a word of a program that has ended', async () => {
    await using program = ChildProgram.run(PROGRAM, { args: ['end'] });

    await expect(program.says(/never/)).rejects.toThrow(/ended without saying \/never\//);
  });
});
