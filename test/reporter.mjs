// A tap reporter: one line per file, failures in full. The counts go to a file for test/run.mjs, which prints the closing line,
// and so does what became of the tests that name rows of the requirements (test/requirements).
import { writeFileSync } from 'node:fs'
import { Transform } from 'node:stream'
import { Parser } from 'tap-parser'

export default class LineReporter extends Transform {
  #root = new Parser()
  #counts = { passed: 0, failed: 0, skipped: 0 }
  /** By file and row: how many of its tests passed, failed, were left out. */
  #rows = {}

  constructor () {
    super({ encoding: 'utf8' })
    this.#follow(this.#root, [])
    this.#root.on('bailout', (reason) => this.#fail(`Bail out! ${reason}`))
  }

  #say (line) { this.push(`${line}\n`) }

  #fail (line, diagnostics) {
    this.#counts.failed++
    this.#say(line)
    if (diagnostics) this.#say(JSON.stringify(diagnostics, null, 2).replace(/^/gm, '    '))
  }

  #noteRows (file, { name, ok, skip, todo }) {
    const of = this.#rows[file] ??= {}
    const outcome = skip || todo ? 'skipped' : ok ? 'passed' : 'failed'
    for (const [id] of (/^(?:[A-K]\d{1,2} )+/.exec(name)?.[0] ?? '').matchAll(/[A-K]\d+/g)) {
      of[id] ??= { passed: 0, failed: 0, skipped: 0 }
      of[id][outcome]++
    }
  }

  #follow (parser, path) {
    parser.on('child', (child) => this.#follow(child, [...path, child.name]))
    parser.on('result', (result) => {
      if (result.skip || result.todo) this.#counts.skipped++
      else if (result.ok) this.#counts.passed++
      else this.#fail(`not ok  ${result.fullname || result.name}`, result.diag)
    })
    if (path.length === 1) parser.on('assert', (test) => this.#noteRows(path[0], test))
    if (path.length === 1) parser.on('complete', ({ ok, count, time }) => this.#say(`${ok ? 'ok    ' : 'not ok'}  ${path[0]} (${count}, ${Math.round(time ?? 0)} ms)`))
    parser.on('comment', (text) => { if (text.startsWith('# measured:')) this.#say(`        ${text.slice(2).trim()}`) })
    parser.on('extra', (text) => { if (path.length > 0) this.push(text) })
  }

  _transform (chunk, _encoding, callback) {
    this.#root.write(chunk)
    callback()
  }

  _flush (callback) {
    this.#root.end()
    if (process.exitCode && this.#counts.failed === 0) this.#say('the run fails although no test does: coverage is below its floor, or there is none')
    if (process.env.LATCHKEY_COUNTS) writeFileSync(process.env.LATCHKEY_COUNTS, JSON.stringify({ ...this.#counts, rows: this.#rows }))
    callback()
  }
}
