import process from 'node:process';

/**
 * Ends this process because its database has answered nothing for databaseLimits.silentMs,
 * neither rows nor an error. A server that vanished (a failover, a lost host) resets nothing, and
 * its connections stay silent for as long as the operating system goes on sending: a quarter of an
 * hour. The platform starts a new process, which has new connections.
 */
export function endSilentProcess(): void {
  console.error('the database has fallen silent; ending the process');
  process.exit(70);
}
