import { InvalidPoolOptionsError } from '../../errors/invalid-options.error.js';
import type { OptionProblem } from '../../errors/invalid-options.error.js';

/** Gathers what is wrong with the options of one pool, until all of it is known. */
export class OptionFindings {
  private readonly problems: OptionProblem[] = [];
  private readonly ignored: string[] = [];

  constructor(
    private readonly pool: string,
    private readonly strict: boolean,
  ) {}

  /** Something that no pool can work with. */
  refuse(option: string, message: string): void {
    this.problems.push({ pool: this.pool, option, message });
  }

  /** Something that a pool can ignore, and pg does; strict options refuse it. */
  object(option: string, message: string): void {
    if (this.strict) this.refuse(option, message);
    else this.ignored.push(`${this.pool}.${message}`);
  }

  /** Something that works, and likely not as was meant. */
  advise(message: string): void {
    this.ignored.push(`${this.pool}.${message}`);
  }

  get clean(): boolean {
    return this.problems.length === 0;
  }

  get warnings(): readonly string[] {
    return this.ignored;
  }

  /** @throws InvalidPoolOptionsError with all that was refused, if anything was. */
  throwIfAny(): void {
    if (!this.clean) throw new InvalidPoolOptionsError(this.problems);
  }
}
