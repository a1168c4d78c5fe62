import { describeUnreachable } from './unreachable.js';
import { COMMON_FLAGS, parsed, sizingFrom } from './arguments.js';
import { type Diagnosis, diagnose } from './diagnosis.js';
import { diagnosisText } from './diagnosis-text.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { targetOf } from './server-target.js';
import { printable, printableJson, printableTexts, type Terminal } from './terminal.js';
import { usageOf } from './usage.js';
import { WrongUsage } from './wrong-usage.js';

const FLAGS = {
  ...COMMON_FLAGS,
  strict: { type: 'boolean' },
  timeout: { type: 'string' },
} as const;

const DEFAULT_TIMEOUT_MS = 10_000;

/** `nestjs-pools doctor`: looks at a server, and changes nothing there. */
export async function doctor(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values, positionals } = parsed({
    args: [...args],
    options: FLAGS,
    allowPositionals: true,
  });
  if (values.help) {
    terminal.out(usageOf('doctor'));
    return EXIT.fine;
  }
  if (positionals.length > 1) throw new WrongUsage('one url, please');
  const sizing = sizingFrom(values);
  const timeoutMs = readTimeout(values.timeout);
  const target = targetOf(positionals[0], terminal.env, timeoutMs);

  let diagnosis: Diagnosis;
  try {
    diagnosis = await diagnose(target, sizing);
  } catch (error) {
    const sentence = describeUnreachable(error, target.address, timeoutMs);
    if (values.json) terminal.out(printableJson({ verdict: 'not asked', error: sentence }));
    else terminal.err(`nestjs-pools doctor: ${printable(sentence)}`);
    return EXIT.notAsked;
  }
  terminal.out(
    values.json ? printableJson(diagnosis, 2) : diagnosisText(printableTexts(diagnosis)),
  );
  const counts = diagnosis.findings.filter(({ level }) => values.strict || level === 'warning');
  return counts.length > 0 ? EXIT.findings : EXIT.fine;
}

function readTimeout(given: string | undefined): number {
  if (given === undefined) return DEFAULT_TIMEOUT_MS;
  const timeoutMs = /^\d{1,8}$/.test(given) ? Number(given) : 0;
  if (timeoutMs < 1) throw new WrongUsage('--timeout takes milliseconds, 1 or more');
  return timeoutMs;
}
