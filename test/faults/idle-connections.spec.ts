import { describe, expect, it } from '@jest/globals';
import {
  forgottenByFirewall,
  idleSessionTimeout,
  terminated,
  terminatedUnheard,
} from './scenarios/idle-connections.js';
import { faultServer } from './support/fault-server.js';

describe('an idle connection that has ended', () => {
  const ground = faultServer();

  it.each([
    ['a firewall forgot it', forgottenByFirewall],
    ['the server ended it', terminated],
    ['the server has just ended it', terminatedUnheard],
    ['idle_session_timeout ended it', idleSessionTimeout],
  ])('is not handed out: %s', async (_, scenario) => {
    const { failed, unheardErrors } = await ground.measure(scenario);

    expect(failed).toBe(0);
    expect(unheardErrors).toBe(0);
  });
});
