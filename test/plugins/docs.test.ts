// Socket `openapi`, the page: it is there for people while they develop, and not there where nobody asked for it
// (REQUIREMENTS J4; DOCS).
import t from 'tap'
import { mongodbUri } from '../helper/engines.ts'
import { startService } from '../helper/service.ts'
import { expectProblem } from './expect-problem.ts'

const addresses = ['/openapi.json', '/docs', '/docs/', '/docs/json', '/docs/yaml', '/docs/static/index.html', '/docs/static/swagger-ui.css', '/docs/static/swagger-initializer.js']
const production = { NODE_ENV: 'production', ...(mongodbUri === undefined && { MONGODB_URI: 'embedded' }) }

await t.test('the page is served with what it needs, and needs nothing from elsewhere', async (t) => {
  const service = await startService(t)
  const page = await service.get('/docs/')
  t.equal(page.status, 200)
  t.match(page.headers['content-type'], /^text\/html/)
  const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => new URL(address as string, `${service.origin}/docs/`))
  t.ok(assets.length > 3)
  for (const asset of assets) {
    t.equal(asset.origin, service.origin, asset.href)
    t.equal((await service.get(asset.pathname)).status, 200, asset.pathname)
  }
  t.notMatch(page.text, /<script(?![^>]*\bsrc=)[^>]*>\s*\S/, 'no script of its own inside: the policy would stop it')
  t.match((await service.get('/docs/static/swagger-initializer.js')).text, '/openapi.json')
  const document = await service.get('/openapi.json')
  t.match(document.headers['content-type'], /^application\/json/)
  t.match(document.json.openapi, /^3\.1/)
})

for (const [what, env] of Object.entries({ 'DOCS=off': { DOCS: 'off' }, 'production, by default': production, 'DOCS=off in production': { ...production, DOCS: 'off' } })) {
  await t.test(`J4 ${what}: neither page nor document is there`, async (t) => {
    const service = await startService(t, { env: env as Record<string, string> })
    for (const address of addresses) expectProblem(t, await service.get(address), 404, 'not_found', { what: address })
    t.equal((await service.get('/livez')).status, 200)
  })
}

await t.test('DOCS=on serves them in production too', async (t) => {
  const service = await startService(t, { env: { ...production, DOCS: 'on' } })
  for (const address of ['/openapi.json', '/docs/']) t.equal((await service.get(address)).status, 200, address)
})
