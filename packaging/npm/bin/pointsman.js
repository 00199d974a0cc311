#!/usr/bin/env node
// Starts the program of the package for this platform, with the same arguments, streams and signals.
'use strict';

const { spawn } = require('node:child_process');
const { constants } = require('node:os');

/** Signals that end the program. */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** Returns the path of the program, or ends with an error if its package is not installed. */
function programPath() {
  const name = `@pointsman/${process.platform}-${process.arch}`;
  try {
    return require.resolve(`${name}/bin/pointsman`);
  } catch {
    const known = Object.keys(require('../package.json').optionalDependencies ?? {});
    console.error(known.includes(name)
      ? `error: the package ${name} with the program is not installed\n`
        + '  = hint: install again without `--omit=optional` and `--no-optional`'
      : `error: there is no program for ${process.platform} on ${process.arch}\n`
        + `  = hint: there are ${known.join(', ')}; elsewhere, build it with \`cargo install pointsman-gateway\``);
    process.exit(1);
  }
}

const child = spawn(programPath(), process.argv.slice(2), { stdio: 'inherit' });
for (const signal of FORWARDED) {
  // Without a handler, a signal would end this process and leave the program running. A terminal sends
  // SIGINT and SIGQUIT to both, and a second SIGINT would end the program without draining it.
  process.on(signal, () => {
    if (!process.stdin.isTTY || (signal !== 'SIGINT' && signal !== 'SIGQUIT')) child.kill(signal);
  });
}
child.on('error', (error) => {
  console.error(`error: cannot start the program: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => {
  process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
});
