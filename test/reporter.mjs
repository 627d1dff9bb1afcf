// A tap reporter: one line per file, failures in full. The counts go to a file for test/run.mjs, which prints the closing line.
import { writeFileSync } from 'node:fs'
import { Transform } from 'node:stream'
import { Parser } from 'tap-parser'

export default class LineReporter extends Transform {
  #root = new Parser()
  #counts = { passed: 0, failed: 0, skipped: 0 }

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

  #follow (parser, path) {
    parser.on('child', (child) => this.#follow(child, [...path, child.name]))
    parser.on('result', (result) => {
      if (result.skip || result.todo) this.#counts.skipped++
      else if (result.ok) this.#counts.passed++
      else this.#fail(`not ok  ${result.fullname || result.name}`, result.diag)
    })
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
    if (process.env.LATCHKEY_COUNTS) writeFileSync(process.env.LATCHKEY_COUNTS, JSON.stringify(this.#counts))
    callback()
  }
}
