/** Loaded before a program to be measured: at its end it says how much memory it held at most. */

process.on('exit', () => process.stderr.write(`peak-memory-kb ${process.resourceUsage().maxRSS}\n`));
