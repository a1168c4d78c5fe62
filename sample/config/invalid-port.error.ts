/** `PORT` is no port. */
export class InvalidPortError extends Error {
  readonly code = 'PORT_INVALID';

  constructor(text: string) {
    super(`PORT must be a number between 0 and 65535 (0 takes any free port), not "${text}"`);
    this.name = 'InvalidPortError';
  }
}
