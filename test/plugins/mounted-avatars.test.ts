// Pictures in somebody else's app, which takes uploads of its own: each keeps its own parser (REQUIREMENTS K6).
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { avatarPath, boundary, pictureOf, upload, uploadCall } from '../helper/pictures.ts'
import { expectProblem } from './expect-problem.ts'
import { startHost } from './mounted-host.ts'

const file = await pictureOf('png')
const own = uploadCall([{ filename: 'x', content: file }])

for (const order of ['before', 'after'] as const) {
  await t.test(`a host whose own parser of multipart was added ${order} the package keeps it, and the package has its own`, async (t) => {
    const addParser = (app: FastifyInstance): void => {
      app.addContentTypeParser('multipart/form-data', (_request, payload, done) => {
        let bytes = 0
        payload.on('data', (chunk: Buffer) => { bytes += chunk.length }).on('end', () => { done(null, { readByHost: bytes }) })
      })
    }
    const host = await startHost(t, {
      options: { prefix: '/auth' },
      ...(order === 'before' && { prepare: addParser }),
      open (app) {
        if (order === 'after') addParser(app)
        app.post('/files', async (request) => request.body)
        app.post('/my-files', { onRequest: app.authenticate }, async (request) => ({ ...request.body as object, id: request.user.id }))
      }
    })
    const { accessToken, userId } = await host.newcomer()
    const call: typeof host.call = async (path, what) => await host.call(`/auth${path}`, what)

    const answer = await upload({ call }, accessToken, file)
    t.equal(answer.status, 201, answer.text)
    t.equal(answer.headers['location'], `/auth${answer.json.avatarUrl as string}`)
    const shown = await host.call(answer.headers['location'] as string)
    t.strictSame([shown.status, shown.headers['content-type']], [200, 'image/png'])
    expectProblem(t, await upload({ call }, accessToken, 'no picture'), 415, 'unsupported_media_type', { base: '/auth' })
    expectProblem(t, await call(avatarPath, own), 401, 'token_missing', { base: '/auth' })
    expectProblem(t, await call('/api/auth/login', own), 415, 'unsupported_media_type', { base: '/auth' })

    const injected = await host.app.inject({ url: answer.headers['location'] as string })
    t.ok(injected.rawPayload.equals(shown.bytes), 'also where there is no socket')
    t.equal((await host.app.inject({ method: 'POST', url: `/auth${avatarPath}`, headers: own.headers as Record<string, string>, payload: own.raw as Buffer })).statusCode, 401)

    const { length } = own.raw as Buffer
    t.strictSame((await host.call('/files', own)).json, { readByHost: length })
    t.strictSame((await host.call('/my-files', { ...own, token: accessToken })).json, { readByHost: length, id: userId })
    const long = Buffer.alloc(4_000_000, `--${boundary}`)
    t.strictSame((await host.call('/files', { ...own, raw: long })).json, { readByHost: long.length }, 'of any length')
  })
}
