// A flood from a thread of its own, so that what it costs to send it delays nobody who is measured beside it. Told an origin and
// calls, it makes them all at once and answers with their statuses.
import { parentPort } from 'node:worker_threads'
import { callHttp, type Call } from './http.ts'

export interface Flood { origin: string, calls: (Call & { path: string })[] }

parentPort?.on('message', ({ origin, calls }: Flood) => {
  void Promise.all(calls.map(async ({ path, ...call }) => (await callHttp(origin, path, call)).status))
    .then((statuses) => { parentPort?.postMessage(statuses) })
})
