/** Something else listens on the port already. The message is for whoever started the application. */
export class PortInUseError extends Error {
  readonly code = 'PORT_IN_USE';

  constructor(port: number, host: string, options?: ErrorOptions) {
    const another = port < 65_535 ? port + 1 : port - 1;
    super(
      `Port ${port} on ${host} is in use by another program. ` +
        `Stop that one, or take another port: PORT=${another} npm start`,
      options,
    );
    this.name = 'PortInUseError';
  }
}
