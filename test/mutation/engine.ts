import { readdirSync } from 'node:fs';

// All tests of the engine as one file: jest loads the engine anew for each file, which takes longer
// than its tests do.
const folder = new URL('../unit/engine/', import.meta.url);

for (const file of readdirSync(folder)) {
  if (file.endsWith('.spec.js')) await import(new URL(file, folder).href);
}
