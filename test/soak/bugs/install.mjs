// Loaded by a child process before the service (`--import install.mjs?bug=NAME`): puts one bug into it. The process does not
// start if the bug cannot be made.
import { readFileSync } from 'node:fs'
import { register } from 'node:module'
import { bugs, patchedModules } from './list.mjs'

const name = new URL(import.meta.url).searchParams.get('bug')
const bug = bugs.find((one) => one.name === name)
if (bug === undefined) throw new Error(`there is no bug ${name}`)
const addressOf = (module) => new URL(`../../../dist/${module}`, import.meta.url)
const patched = patchedModules(bug, (module) => readFileSync(addressOf(module), 'utf8'))
register('./hooks.mjs', import.meta.url, { data: Object.fromEntries(Object.entries(patched).map(([module, source]) => [addressOf(module).href, source])) })
