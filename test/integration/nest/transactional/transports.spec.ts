import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Controller, Injectable } from '@nestjs/common';
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { lastValueFrom } from 'rxjs';
import { WebSocket } from 'ws';
import { InjectPool, Pool, PoolModule, Transactional } from '../../../../lib/index.js';
import { freePort } from '../../../support/free-port.js';
import { createApplication } from '../support/application.js';
import { testLedger } from './support/ledger.js';

const ledger = testLedger();

interface Order {
  readonly note: string;
  readonly fails: boolean;
}

@Injectable()
class Entries {
  constructor(@InjectPool() private readonly primary: Pool) {}

  async insert(note: string): Promise<void> {
    await this.primary.query('INSERT INTO entry VALUES ($1)', [note]);
  }
}

@WebSocketGateway()
class Gateway {
  constructor(private readonly entries: Entries) {}

  @Transactional()
  @SubscribeMessage('add')
  async add(@MessageBody() { note, fails }: Order): Promise<unknown> {
    await this.entries.insert(`${note} 1`);
    if (fails) throw new Error('as the message wants it');
    await this.entries.insert(`${note} 2`);
    return { event: 'added', data: note };
  }
}

/** What a queue hands its messages to. */
@Controller()
class Consumer {
  constructor(private readonly entries: Entries) {}

  @MessagePattern('add')
  @Transactional()
  async add({ note, fails }: Order): Promise<string> {
    await this.entries.insert(`${note} 1`);
    if (fails) throw new Error('as the message wants it');
    await this.entries.insert(`${note} 2`);
    return note;
  }
}

const parts = () => ({
  imports: [PoolModule.forRoot()],
  providers: [Entries, Gateway],
  controllers: [Consumer],
  log: ledger.log,
});

describe('a transactional method', () => {
  it('of a gateway is committed when it returns, and rolled back when it throws', async () => {
    const application = await createApplication(parts());
    application.useWebSocketAdapter(new WsAdapter(application));
    await application.listen(0);
    const url = (await application.getUrl()).replace(/^http/, 'ws').replace('[::1]', '127.0.0.1');
    const socket = new WebSocket(url);
    try {
      await once(socket, 'open');
      const ask = async (data: Order): Promise<unknown> => {
        const answer = once(socket, 'message');
        socket.send(JSON.stringify({ event: 'add', data }));
        const [message] = (await answer) as [Buffer];
        return JSON.parse(message.toString());
      };

      expect(await ask({ note: 'undone', fails: true })).toMatchObject({ event: 'exception' });
      expect(await ask({ note: 'kept', fails: false })).toEqual({ event: 'added', data: 'kept' });
    } finally {
      socket.terminate();
      await application.close();
    }

    expect(await ledger.entries()).toEqual(['kept 1', 'kept 2']);
  });

  it('that messages of a queue are handed to is one as well', async () => {
    const application = await createApplication(parts());
    application.useWebSocketAdapter(new WsAdapter(application));
    const options = { host: '127.0.0.1', port: await freePort() };
    application.connectMicroservice({ transport: Transport.TCP, options });
    await application.startAllMicroservices();
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options });
    try {
      const ask = (order: Order) => lastValueFrom(client.send<string, Order>('add', order));

      await expect(ask({ note: 'undone', fails: true })).rejects.toMatchObject({ status: 'error' });
      expect(await ask({ note: 'kept', fails: false })).toBe('kept');
    } finally {
      await client.close();
      await application.close();
    }

    expect(await ledger.entries()).toEqual(['kept 1', 'kept 2']);
  });
});
