// The rows of the transition table, by number: from which phase, upon what, to which. Each has a test whose name begins with
// its number ("L3.12 …"), or stands in `directions` with the reason why there is nothing to be tested yet.

export const rows: Readonly<Record<number, string>> = {
  1: 'absent + request → absent',
  2: 'asleep + request, wake or autostart → queued',
  3: 'queued + its turn → starting',
  4: 'queued + the last who waited left → asleep',
  5: 'queued + hold_timeout → asleep',
  6: 'restoring + done or failed → starting or backoff',
  7: 'starting + ready → ready',
  8: 'starting + exit → backoff',
  9: 'starting + start_timeout → stopping, backoff',
  10: 'starting + all clients left → starting',
  11: 'ready + idle_timeout → draining',
  12: 'draining as idle + request before the signal → ready',
  13: 'draining + unused, or drain_timeout → stopping',
  14: 'stopping + request → stopping, then queued',
  15: 'stopping + empty → asleep or queued',
  16: 'stopping + stop_timeout → stopping, killed, stuck',
  17: 'ready + exit in order, unused → asleep',
  18: 'ready + any other exit → backoff',
  19: 'ready + liveness fails → stopping, backoff',
  20: 'backoff + timer → queued or asleep',
  21: 'backoff + request → backoff',
  22: 'backoff + the fifth crash → crashlooped',
  23: 'crashlooped + request → crashlooped',
  24: 'crashlooped + half-open and a request → queued',
  25: 'ready + freeze_after → frozen',
  26: 'frozen + request → ready',
  27: 'frozen + idle_timeout or want of room → stopping',
  28: 'running + another release → draining',
  29: 'any + taken out of the config → draining, asleep, absent',
  30: 'any + disable → draining, disabled',
  31: 'running + the server ends → adopting',
  32: 'adopting + identity proved → ready',
  33: 'any + the machine is booted anew → asleep',
  34: 'running + ownership lost → stopping',
}

/** Rows that say where tenement is going: no part of it can meet their event. */
export const directions: Readonly<Record<number, string>> = {
  6: 'data is on one machine: there is nothing to restore from',
  28: 'there are no releases: what a service is changes with its config alone',
  34: 'there is one server: nobody else could own an instance',
}
