// How the server process itself is doing, under the names that dashboards know. Read when somebody asks, so that a server at
// rest stays at rest: what the library collects by default includes a timer that fires a hundred times a second.
import { readdirSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'

/** Totals that only grow, in the unit of the name. */
const totals = [
  {
    name: 'process_cpu_seconds_total',
    help: 'Processor time the server process has used.',
    read: () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    },
  },
  {
    name: 'tenement_event_loop_busy_seconds_total',
    help: 'Time in which the event loop of the server did not wait for anything to happen.',
    read: () => performance.eventLoopUtilization().active / 1e3,
  },
] as const

const gauges = [
  {
    name: 'process_start_time_seconds',
    help: 'When the server process started, since the epoch.',
    read: () => performance.timeOrigin / 1e3,
  },
  {
    name: 'process_resident_memory_bytes',
    help: 'Memory of the server process.',
    read: () => process.memoryUsage.rss(),
  },
  {
    name: 'nodejs_heap_size_used_bytes',
    help: 'Heap the server process uses.',
    read: () => process.memoryUsage().heapUsed,
  },
  {
    name: 'process_open_fds',
    help: 'Descriptors the server process has open.',
    // Less the one that reads them.
    read: () => readdirSync('/proc/self/fd').length - 1,
  },
] as const

export const addProcessMetrics = (registry: Registry): void => {
  for (const { name, help, read } of totals)
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  for (const { name, help, read } of gauges)
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
}
