import { spawn } from 'node:child_process';

// Runs a program as the shell of `npm start` does: on the same streams, and deaf to what becomes of it.
spawn(process.execPath, [process.argv[2]], { stdio: 'inherit' });
