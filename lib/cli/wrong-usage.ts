/** A command line that cannot be understood: one sentence, without a stack. */
export class WrongUsage extends Error {}
