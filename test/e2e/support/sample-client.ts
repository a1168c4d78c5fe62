/** What the health check tells of a pool, as far as the tests look at it. */
export interface PoolInHealth {
  readonly status: string;
  readonly leased: number;
  readonly waiting: number;
}

/** Talks to a running sample as its users do. */
export class SampleClient {
  constructor(private readonly address: string) {}

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.address}${path}`, { headers });
  }

  post(path: string, body: object): Promise<Response> {
    return fetch(`${this.address}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  async read<T>(path: string): Promise<T> {
    return (await (await this.get(path)).json()) as T;
  }

  async poolInHealth(name: 'primary' | 'replica'): Promise<PoolInHealth> {
    const { details } = await this.read<{ details: Record<string, PoolInHealth> }>('/health');
    return details[name]!;
  }
}
