import { turns } from './measure/turns.mjs';
import { SCENARIOS } from './scenarios/index.mjs';

/** One peer, one case, one process: says what it measured on standard output. */
const { scenario: name, case: caseName, peer, context } = JSON.parse(process.argv[2]);
const scenario = SCENARIOS[name];
// Nobody gives turns to a process that was started by hand, for a profile.
const given = scenario.inTurns && process.connected ? { ...context, turns } : context;
const figures = await scenario.measure(peer, scenario.cases[caseName], given);
process.stdout.write(JSON.stringify(figures), () => process.exit());
