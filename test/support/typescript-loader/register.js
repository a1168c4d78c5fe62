import { register } from 'node:module';

/** `node --import` of this file runs TypeScript as it stands. */
register('./hooks.js', import.meta.url);
