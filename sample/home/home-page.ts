import { examples } from './examples.js';

const LINKS = [
  ['/docs', 'every endpoint, to try in the browser'],
  ['/health', 'the pools, and whether the database answers'],
  ['/accounts?limit=5', 'the first accounts'],
  ['/accounts/1/history?limit=5', 'what happened on account 1, from the replica'],
  ['/reports/weekly?weeks=4', 'the weekly report, from the replica'],
] as const;

export function homePage(baseUrl: string): string {
  const links = LINKS.map(([path, shows]) => `<li><a href="${path}">${path}</a> ${shows}</li>`);
  const commands = examples(baseUrl).map(
    ({ shows, command }) => `<p># ${escapeHtml(shows)}</p>\n<pre>${escapeHtml(command)}</pre>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>nestjs-pools sample</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 3rem auto; padding: 0 1rem; }
  pre { background: #f4f4f5; padding: 0.6rem; border-radius: 6px; white-space: pre-wrap; margin: 0 0 1rem; }
  p { margin: 0; color: #52525b; }
</style>
</head>
<body>
<h1>A small bank on nestjs-pools</h1>
<ul>
${links.join('\n')}
</ul>
<h2>In a shell</h2>
${commands.join('\n')}
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
