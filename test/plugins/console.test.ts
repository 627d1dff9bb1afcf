// The console (MISSION row 36) as it is served: a page without data, under a policy of its own, where it is wanted. What it does in a
// browser: test/browser/console.browser.ts.
import Fastify from 'fastify'
import t from 'tap'
import { buildIfNewer } from '../../scripts/build.mjs'
import latchkey, { type LatchkeyOptions } from '../../src/index.ts'
import { scratchFolder } from '../helper/scratch.ts'
import { startService } from '../helper/service.ts'
import { startHost } from './mounted-host.ts'

buildIfNewer()

const files = { '/console': 'text/html', '/console/console.js': 'text/javascript', '/console/console.css': 'text/css', '/console/icon.svg': 'image/svg+xml' }
const policy = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self'",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
  'require-trusted-types-for': "'script'"
}

await t.test('the page and its files are there, each of its type, and may load and call their own origin alone', async (t) => {
  const service = await startService(t)
  for (const [path, type] of Object.entries(files)) {
    const { status, headers, text } = await service.call(path)
    t.equal(status, 200, path)
    t.match(headers, { 'content-type': new RegExp(`^${type.replace('+', '\\+')}`), 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'cache-control': 'no-store' })
    const said = Object.fromEntries(String(headers['content-security-policy']).split('; ').map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]))
    t.strictSame(said, policy, path)
    t.ok(text.length > 200, path)
    t.match(await service.call(path, { method: 'POST', body: {} }), { status: 405, headers: { allow: 'GET, HEAD, OPTIONS' } })
    t.equal((await service.call(path, { method: 'HEAD' })).status, 200)
  }
  for (const path of ['/console/index.html', '/console/console.ts', '/console/..%2fsrc%2fserver.js', '/console/%2e%2e/package.json']) t.match(await service.call(path), { status: 404, json: { code: 'not_found' } }, path)
})

await t.test('what it loads is named relative to where a proxy shows it, and a slash at the end leads to it', async (t) => {
  const host = await startHost(t, { options: { prefix: '/auth' } })
  const { text } = await host.call('/auth/console')
  const named = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address as string)
  t.ok(named.length > 3)
  for (const address of named) t.match(address, /^\.\//)
  t.strictSame(named.filter((address) => address.startsWith('./console/')).filter((address) => !Object.hasOwn(files, address.slice(1))), [], 'and is there')
  t.match(await host.call('/auth/console/'), { status: 308, headers: { location: '../console' } })
  t.match(await host.call('/auth/console/?from=there'), { status: 308, headers: { location: '../console' } })
  t.equal((await host.call('/console')).status, 404, 'the host\'s own addresses stay its own')
})

await t.test('it is there in a host whose router ignores slashes at the end', async (t) => {
  for (const options of [{ ignoreTrailingSlash: true }, { routerOptions: { ignoreTrailingSlash: true } }]) {
    const app = Fastify(options)
    t.teardown(async () => { await app.close() })
    await app.register(latchkey, { dataDir: scratchFolder(t), nodeEnv: 'test', prefix: '/auth' })
    t.match(await app.inject('/auth/console'), { statusCode: 200 })
    t.match(await app.inject('/auth/console/'), { statusCode: 308, headers: { location: '../console' } })
  }
})

await t.test('the page is told what is mounted, and whether there are docs', async (t) => {
  const whole = await startService(t)
  t.match((await whole.call('/console')).text, '<html lang="en" data-parts="auth visits preferences console" data-docs="on" data-timing="on">')
  const host = await startHost(t, { options: { parts: ['console', 'auth'] }, env: { DOCS: 'off', SERVER_TIMING: 'off' } })
  t.match((await host.call('/console')).text, '<html lang="en" data-parts="console auth" data-docs="off" data-timing="off">')
  t.strictSame(host.app.latchkey.parts, ['console', 'auth'])
})

await t.test('CONSOLE=off takes it away; a host that names its parts names it there', async (t) => {
  const without = await startService(t, { env: { CONSOLE: 'off' } })
  const host = await startHost(t, { options: { parts: ['auth', 'visits', 'preferences'] } })
  for (const one of [without, host]) for (const path of Object.keys(files)) t.equal((await one.call(path)).status, 404)
  t.strictSame(host.app.latchkey.parts, ['auth', 'visits', 'preferences'])
  const named = await startHost(t, { options: { parts: ['auth', 'console'] }, env: { CONSOLE: 'off' } })
  t.equal((await named.call('/console')).status, 200)
})

await t.test('a choice that contradicts itself is refused', async (t) => {
  for (const [options, said] of [
    [{ parts: ['visits', 'console'] }, /parts: the console needs the part `auth`/],
    [{ parts: ['auth'], console: true }, /console is on, but parts leaves it out/],
    [{ parts: ['auth', 'console'], console: false }, /console is off, but parts names it/]
  ] as [LatchkeyOptions, RegExp][]) {
    const app = Fastify()
    t.teardown(async () => { await app.close() })
    await t.rejects(async () => { await app.register(latchkey, { dataDir: scratchFolder(t), nodeEnv: 'test', ...options }) }, { name: 'ConfigError', message: said })
  }
})
