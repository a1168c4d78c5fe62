/**
 * What is added to a limit in a test: the page with the measured figures shows how long things take
 * on a machine that has time for them, and this one may be busy. A wait for the wrong thing, such as
 * a limit of seconds or the end of a slow statement, is longer.
 */
export const SLACK_MS = 2_500;
