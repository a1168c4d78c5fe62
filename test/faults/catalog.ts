import { blockedLoop } from './scenarios/blocked-loop.js';
import { cancelOverdue } from './scenarios/cancel-overdue.js';
import { clockJumps } from './scenarios/clock-jumps.js';
import { cutByEnd, cutByReset, cutBySilence } from './scenarios/cut-connections.js';
import * as ends from './scenarios/end-in-every-state.js';
import { failoverOfStatements, failoverOfTransactions } from './scenarios/failover.js';
import {
  forgottenByFirewall,
  idleSessionTimeout,
  terminated,
  terminatedUnheard,
} from './scenarios/idle-connections.js';
import { lateCancel, lateCancelForNeighbour } from './scenarios/late-cancel.js';
import { lifetimes } from './scenarios/lifetimes.js';
import { maxAtServer } from './scenarios/max-at-server.js';
import { noRoomAtServer } from './scenarios/no-room-at-server.js';
import { openTransaction } from './scenarios/open-transaction.js';
import { downAtStart, downLater, startingUp } from './scenarios/outage.js';
import { pickyPooler } from './scenarios/picky-pooler.js';
import { readOnlyOnPurpose } from './scenarios/read-only-on-purpose.js';
import { readOnlySession } from './scenarios/read-only-session.js';
import { killed, restartFast, restartImmediate } from './scenarios/restart.js';
import { rotatingPassword } from './scenarios/rotating-password.js';
import { resetByDiscard, resetToState } from './scenarios/session-state.js';
import { blackhole, blackholeUnanswered, frozen } from './scenarios/silence.js';
import { slowConnects } from './scenarios/slow-connects.js';
import {
  abortSignal,
  borrowedLimit,
  limitByPgsName,
  ownLimit,
  poolLimit,
} from './scenarios/statement-stopped.js';
import { statementOverTls } from './scenarios/statement-over-tls.js';
import { statementsAtMostMax } from './scenarios/statements-at-most-max.js';
import { wrongPassword } from './scenarios/wrong-password.js';
import {
  verbsInBlackhole,
  verbsInOutage,
  verbsUnderLoad,
  verbsWithWaiters,
} from './scenarios/verbs.js';
import type { Scenario } from './support/scenario.js';

/**
 * Every scenario, by the group under which docs/reliability.md tells of it. What a scenario measures
 * is its own business: here only its words matter.
 */
export const CATALOG: Readonly<Record<string, readonly Scenario<unknown>[]>> = {
  outages: [
    downAtStart,
    downLater,
    startingUp,
    wrongPassword,
    rotatingPassword,
    noRoomAtServer,
    pickyPooler,
  ],
  restarts: [restartFast, restartImmediate, killed],
  silence: [blackhole, blackholeUnanswered, frozen, slowConnects],
  statements: [
    poolLimit,
    ownLimit,
    borrowedLimit,
    limitByPgsName,
    abortSignal,
    statementOverTls,
    statementsAtMostMax,
    lateCancel,
    lateCancelForNeighbour,
    cancelOverdue,
  ],
  cuts: [cutByReset, cutByEnd, cutBySilence],
  idle: [forgottenByFirewall, terminated, terminatedUnheard, idleSessionTimeout],
  failover: [failoverOfStatements, failoverOfTransactions, readOnlyOnPurpose, readOnlySession],
  state: [resetToState, resetByDiscard, openTransaction],
  limits: [maxAtServer, lifetimes, clockJumps, blockedLoop],
  verbs: [verbsUnderLoad, verbsWithWaiters, verbsInOutage, verbsInBlackhole],
  end: [
    ends.endIdle,
    ends.endLent,
    ends.endInFlight,
    ends.endWithWaiters,
    ends.endInBlackhole,
    ends.endIdleInBlackhole,
    ends.endConnectingIntoBlackhole,
    ends.endInOutage,
  ],
};
