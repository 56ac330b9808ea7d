// What a real server answers on its control socket, held against what it says that it answers.
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Document, faultsBy } from '../../helpers/openapi.ts'
import { apps, startTenement, type Tenement } from '../../helpers/tenement.ts'

let tenement: Tenement
let document: Document
let faults: ReturnType<typeof faultsBy>

interface Told {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** Asks; of an answer without end only what came before `enough`. */
const ask = (method: string, path: string, { body, enough }: { body?: unknown; enough?: string } = {}): Promise<Told> =>
  new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      host: 'localhost',
      ...(content === undefined ? {} : { 'content-type': 'application/json', 'content-length': content.length }),
    }
    const socketPath = join(tenement.root, 'run', 'control.sock')
    const asked = request({ socketPath, method, path, headers, agent: false }, (answer) => {
      const { statusCode: status = 0, headers: got } = answer
      const told = (read: string): Told => ({ status, type: got['content-type'] ?? '', body: read })
      if (enough === undefined) return void text(answer).then((read) => resolve(told(read)), reject)
      let read = ''
      answer.on('data', (chunk) => {
        read += String(chunk)
        if (!read.includes(enough)) return
        resolve(told(read))
        asked.destroy()
      })
    })
    asked.on('error', reject)
    asked.end(content)
  })

beforeAll(async () => {
  tenement = await startTenement({
    config: `
[service.api]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
[service.broken]
command = "sh -c 'exit 3'"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
[instances]
api = ["alice"]
broken = ["alice"]
`,
  })
  document = JSON.parse((await ask('GET', '/v1/openapi.json')).body)
  faults = faultsBy(document)
})
afterAll(async () => {
  await tenement.stop()
})

const alice = '/v1/instances/api/alice'
const instance = '/v1/instances/{service}/{id}'

type Asked = [operation: string, path: string, body?: unknown]

/** A request for each operation, in an order in which each finds what it needs. */
const asked: Asked[] = [
  ['get /v1/openapi.json', '/v1/openapi.json'],
  ['get /v1/server', '/v1/server'],
  ['get /v1/metrics', '/v1/metrics'],
  ['get /v1/instances', '/v1/instances'],
  ['get /v1/names', '/v1/names'],
  [`get ${instance}`, alice],
  [`get ${instance}/why`, `${alice}/why`],
  [`post ${instance}/wake`, `${alice}/wake`],
  [`get ${instance}/wait`, `${alice}/wait?phase=ready&timeout=10s`],
  [`post ${instance}/restart`, `${alice}/restart`],
  [`get ${instance}`, alice],
  [`get ${instance}/logs`, `${alice}/logs?lines=5`],
  [`post ${instance}/pause`, `${alice}/pause`],
  [`post ${instance}/resume`, `${alice}/resume`],
  [`post ${instance}/stop`, `${alice}/stop`],
  [`get ${instance}/why`, `${alice}/why`],
  [`post ${instance}/disable`, `${alice}/disable`],
  [`post ${instance}/enable`, `${alice}/enable`],
  ['post /v1/instances', '/v1/instances', { instance: 'api:carol' }],
  [`delete ${instance}`, '/v1/instances/api/carol?purge=true'],
]

test.each<Asked>(asked)('%s of %s is answered as described', async (operation, path, body) => {
  const [method = '', route = ''] = operation.split(' ')
  const described = document.paths[route]?.[method]?.responses ?? {}
  const answer = await ask(method.toUpperCase(), path, { body })
  const response = described[String(answer.status)]
  expect(Object.keys(response?.content ?? {}), answer.body).toEqual([answer.type])
  const [content] = Object.values(response?.content ?? {})
  if (answer.type === 'application/json') expect(faults(content?.schema ?? {}, JSON.parse(answer.body))).toEqual([])
  if (answer.type === 'application/x-ndjson')
    for (const line of answer.body.trimEnd().split('\n'))
      expect(faults({ $ref: '#/components/schemas/LogLine' }, JSON.parse(line))).toEqual([])
})

test('events are told as described', async () => {
  const told = ask('GET', '/v1/events?service=api', { enough: 'event: end\n' })
  // Until somebody follows there is nobody to be told; each order here tells of one more change.
  let isTold = false
  void told.finally(() => {
    isTold = true
  })
  while (!isTold) for (const verb of ['wake', 'stop']) await ask('POST', `${alice}/${verb}`)
  const { type, body } = await told
  expect(type).toBe('text/event-stream')
  const events = [...body.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data))
  expect(events.length).toBeGreaterThan(1)
  for (const event of events) expect(faults({ $ref: '#/components/schemas/InstanceEvent' }, event)).toEqual([])
})

test.each([
  ['GET', '/v1/instances/api/nobody', 404],
  ['GET', '/v1/nothing', 404],
  ['PUT', alice, 405],
  ['POST', '/v1/instances/broken/alice/wake', 502],
  ['POST', `${alice}/trace`, 502],
  ['GET', `${alice}/wait?phase=crashlooped&timeout=10ms`, 504],
])('%s %s is answered with a problem as described', async (method, path, status) => {
  const answer = await ask(method, path)
  expect(answer).toMatchObject({ status, type: 'application/problem+json' })
  expect(faults({ $ref: '#/components/schemas/Problem' }, JSON.parse(answer.body))).toEqual([])
})

test('every operation is asked here but the trace, which needs isolation that filters', () => {
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )
  const known = new Set([...asked.map(([operation]) => operation), 'get /v1/events', `post ${instance}/trace`])
  expect([...known].sort()).toEqual(described.sort())
})

test('the command prints the same without asking a server', async () => {
  expect(JSON.parse((await tenement.command('openapi')).stdout)).toEqual(document)
})
